import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';

/** Guest time passes no slower than this share of real time, however busy the host is. */
const slowestRate = 0.1;
/** Accelerated guests are given the same time as emulated ones over this factor. */
const accelerated = 0.5;

interface Deadline {
  stage: Stage | 'total';
  allowedMs: number;
  waitedMs: number;
}

export interface DeadlineClock {
  /** A stage was reached: the wait for the next begins. */
  reached(stage: Stage): void;
  /** Real time has passed under this CPU pressure (0 to 1); the deadline that has run out, if any. */
  tick(elapsedMs: number, pressure: number): Deadline | undefined;
}

/** Deadlines in guest time: a host that makes guests wait for a CPU makes their clocks run slower. */
export function createDeadlineClock(plan: Plan, isAccelerated: boolean): DeadlineClock {
  const factor = isAccelerated ? accelerated : 1;
  const seen = new Set<Stage>();
  let total = 0;
  let sinceStage = 0;

  return {
    reached(stage) {
      seen.add(stage);
      sinceStage = 0;
    },
    tick(elapsedMs, pressure) {
      const passed = elapsedMs * Math.max(slowestRate, 1 - pressure);
      total += passed;
      sinceStage += passed;
      const next = plan.stagePath.find((stage) => !seen.has(stage));
      const stageAllowed = next === undefined ? Number.POSITIVE_INFINITY : plan.deadlines.stageMs[next] * factor;
      if (next !== undefined && sinceStage > stageAllowed) {
        return { stage: next, allowedMs: stageAllowed, waitedMs: Math.round(sinceStage) };
      }
      const totalAllowed = plan.deadlines.totalMs * factor;
      return total > totalAllowed
        ? { stage: 'total', allowedMs: totalAllowed, waitedMs: Math.round(total) }
        : undefined;
    },
  };
}
