import { createHash } from 'node:crypto';
import type { Plan } from '../../model/plan.ts';
import { earlyMachine } from '../../plan/early-machine.ts';
import type { QemuFacts } from '../../vm/host.ts';
import { ownCodeDigest } from '../again/own-code.ts';

/**
 * Names the template of a plan's machine by all that leads to its first question, the harness's own code included;
 * undefined if the case always starts from power-on.
 */
export function templateIdOf(
  plan: Plan,
  { version, sandbox }: Pick<QemuFacts, 'version' | 'sandbox'>,
): string | undefined {
  const machine = earlyMachine(plan);
  if (machine === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([machine, version, sandbox, ownCodeDigest()]))
    .digest('hex')
    .slice(0, 32);
}
