import type { Plan } from '../../model/plan.ts';
import type { Stage } from '../../model/stages.ts';
import { couldRunMs, type TimeReading } from './guest-time.ts';

/** Accelerated guests get the time of emulated ones divided by this. */
const accelerated = 0.5;

interface Deadline {
  stage: Stage | 'total';
  allowedMs: number;
  /** Time in which the guest could run, and wall-clock time. */
  waitedMs: number;
  wallMs: number;
  /** CPU time the guest used meanwhile; absent where the kernel does not count it. */
  workedMs?: number;
}

export interface DeadlineClock {
  /** The awaited stage: the first of the path not reached. */
  awaited(): Stage | undefined;
  /** A stage was reached: starts waiting for the next. */
  reached(stage: Stage): void;
  /** The deadline that has expired, if any. */
  tick(): Deadline | undefined;
}

/** Deadlines count time in which the guest could run, so a busy host does not shorten them. Starts at once. */
export function createDeadlineClock(plan: Plan, isAccelerated: boolean, read: () => TimeReading): DeadlineClock {
  const factor = isAccelerated ? accelerated : 1;
  const seen = new Set<Stage>();
  const begun = read();
  let lastStage = begun;
  const awaited = () => plan.stagePath.find((stage) => !seen.has(stage));

  return {
    awaited,
    reached(stage) {
      seen.add(stage);
      lastStage = read();
    },
    tick() {
      const now = read();
      const outrun = (stage: Stage | 'total', since: TimeReading, fullMs: number): Deadline | undefined => {
        const waitedMs = Math.round(couldRunMs(since, now));
        const allowedMs = fullMs * factor;
        if (waitedMs <= allowedMs) return undefined;
        const workedMs = now.cpuMs === undefined ? undefined : Math.round(now.cpuMs - (since.cpuMs ?? 0));
        const wallMs = Math.round(now.atMs - since.atMs);
        return { stage, allowedMs, waitedMs, wallMs, ...(workedMs === undefined ? {} : { workedMs }) };
      };
      const next = awaited();
      const allowed = next && plan.deadlines.stageMs[next];
      const ofStage = next && allowed !== undefined ? outrun(next, lastStage, allowed) : undefined;
      return ofStage ?? outrun('total', begun, plan.deadlines.totalMs);
    },
  };
}
