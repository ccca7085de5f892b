import type { Accel } from '../../model/axes.ts';
import { HarnessError } from '../../model/errors.ts';
import type { Plan } from '../../model/plan.ts';
import type { Scenario } from '../../model/scenario.ts';
import { makePlan } from '../../plan/plan.ts';
import { type AccelChoice, createAccelChooser } from '../../vm/acceleration.ts';
import type { QemuFacts } from '../../vm/host.ts';
import { runningArgv } from '../../vm/running-argv.ts';
import { examineHost } from '../examine-host.ts';
import { findCase } from '../found-case.ts';
import { newNonce } from '../new-nonce.ts';
import type { RunHost } from '../run-host.ts';
import type { PlannedCase } from './same-case.ts';

/** A named case that this host cannot run. */
export const notHere = (scenario: Scenario, reason: string): HarnessError =>
  new HarnessError('missing-asset', `${scenario.id} cannot be run here: ${reason}`, {
    hint: '`netboot doctor` says what this host has and lacks; a set of your own is given with --set.',
  });

/** A plan with the QEMU that would be started for it. */
export function plannedCase(plan: Plan, facts: QemuFacts, accel: Accel): Required<PlannedCase> {
  const { program } = plan.qemu;
  return { plan, qemu: { program, version: facts.version, accel, argv: runningArgv(plan, facts, accel) } };
}

export interface PlanAgainOptions {
  accel: AccelChoice;
  signal: AbortSignal;
}

/**
 * A case as it would be run on this host now, QEMU's arguments included. Runs nothing but a probe boot, if `auto` has not
 * tried the accelerator before.
 * @throws HarnessError `missing-asset` if it cannot be run
 */
export async function planAgain(
  scenario: Scenario,
  host: RunHost,
  { accel: choice, signal }: PlanAgainOptions,
): Promise<Required<PlannedCase>> {
  const found = await findCase(scenario, host);
  if ('missing' in found) throw notHere(scenario, found.missing);
  const { programs } = await examineHost([found.resolved.qemu]);
  const facts = programs[0]?.facts;
  if (facts === undefined) throw notHere(scenario, programs[0]?.problem ?? 'there is no QEMU for it');
  const plan = makePlan({ ...found, nonce: newNonce() });
  const chooser = createAccelChooser({ choice, cacheFile: host.accelCacheFile, signal });
  const { accel } = await chooser.choose(plan, facts);
  return plannedCase(plan, facts, accel);
}
