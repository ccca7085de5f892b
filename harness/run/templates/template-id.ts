import { createHash } from 'node:crypto';
import type { Plan } from '../../model/plan.ts';
import { earlyMachine, firstOffer, type Moment } from '../../plan/early-machine.ts';
import type { QemuFacts } from '../../vm/host.ts';
import { ownCodeDigest } from '../again/own-code.ts';

/** Which template a case starts from. */
export interface TemplateKey {
  id: string;
  moment: Moment;
}

/**
 * Names the template of a plan's machine by all that leads to its moment, the harness's own code included; undefined if the
 * case always starts from power-on. `latest` is the latest moment that is of use.
 */
export function templateKeyOf(
  plan: Plan,
  { version, sandbox }: Pick<QemuFacts, 'version' | 'sandbox'>,
  latest: Moment,
): TemplateKey | undefined {
  const machine = earlyMachine(plan);
  if (machine === undefined) return undefined;
  const offer = latest === 'request' ? firstOffer(plan) : undefined;
  const moment = offer === undefined ? 'question' : 'request';
  const all = [machine, offer, version, sandbox, ownCodeDigest()];
  return { id: createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 32), moment };
}
