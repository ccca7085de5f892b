import type { Plan } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import { type Stage, stages } from '../model/stages.ts';

/**
 * Longest silence allowed before each stage, ms, on an idle host without acceleration: several times what was
 * measured. A case whose console says it failed ends at once; these are for guests that say nothing.
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
  kernel: 60_000,
  userspace: 90_000,
};

export function planDeadlines({ deadlines = {} }: Scenario, path: readonly Stage[]): Plan['deadlines'] {
  const stageMs = Object.fromEntries(
    stages.map((stage) => [stage, deadlines.stageMs?.[stage] ?? defaultStageMs[stage]]),
  ) as Record<Stage, number>;
  const sum = path.reduce((total, stage) => total + stageMs[stage], 0);
  return { totalMs: deadlines.totalMs ?? sum, stageMs };
}
