import type { Plan } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import { type Stage, stages } from '../model/stages.ts';
import { restLimitMs } from './known-pauses.ts';

/**
 * Longest wait allowed for each stage, in ms of time in which the guest could run, without acceleration: several times
 * what was measured. A case that reports failure on its console ends at once; these are for silent guests.
 */
const defaultStageMs: Record<Stage, number> = {
  firmware: 30_000,
  oprom: 30_000,
  dhcp: 60_000,
  'nbp-fetch': 60_000,
  nbp: 30_000,
  'nbp-dhcp': 60_000,
  config: 60_000,
  'payload-fetch': 90_000,
  // A PXE client that nobody answers gives up after a minute, and HTTP boot after another.
  disk: 240_000,
  kernel: 60_000,
  userspace: 90_000,
};

/** A stage for which the user has set a deadline gets all of it. */
function restLimits(scenario: Scenario, path: readonly Stage[]): Plan['deadlines']['restMs'] {
  const limits = path.map((stage) => [stage, restLimitMs(scenario, stage)] as const);
  const said = scenario.deadlines?.stageMs ?? {};
  return Object.fromEntries(limits.filter(([stage, limit]) => limit !== undefined && said[stage] === undefined));
}

export function planDeadlines(scenario: Scenario, path: readonly Stage[]): Plan['deadlines'] {
  const { deadlines = {} } = scenario;
  const stageMs = Object.fromEntries(
    stages.map((stage) => [stage, deadlines.stageMs?.[stage] ?? defaultStageMs[stage]]),
  ) as Record<Stage, number>;
  const sum = path.reduce((total, stage) => total + stageMs[stage], 0);
  return { totalMs: deadlines.totalMs ?? sum, stageMs, restMs: restLimits(scenario, path) };
}
