import type { Plan } from '../../model/plan.ts';
import type { Stage } from '../../model/stages.ts';
import { couldRunMs, type TimeReading } from './guest-time.ts';

/** Guest activity so far, in either direction. */
export interface Signs {
  frames: number;
  consoleBytes: number;
}

interface Rest {
  stage: Stage;
  allowedMs: number;
  restedMs: number;
}

/** Firmware that waits for a key takes 1 to 3 % of a CPU for its timers, one that polls a NIC 40 % and more (TCG). */
const restingShare = 0.1;
/** CPU time is meaningful over spans of this length. */
const spanMs = 1_000;

/**
 * Detects a guest at rest (next to no CPU time, no frame, nothing on the console) for longer than the plan allows while a
 * stage is awaited. Never reports where the kernel does not count CPU time.
 */
export function createRestWatch(
  { deadlines: { restMs } }: Pick<Plan, 'deadlines'>,
  read: () => TimeReading,
  signs: () => Signs,
): { tick(awaited: Stage | undefined): Rest | undefined } {
  let restingSince = read();
  let spanStart = restingSince;
  let last = signs();

  const hasWorked = (now: TimeReading): boolean => {
    const couldRun = couldRunMs(spanStart, now);
    if (couldRun < spanMs) return false;
    const worked =
      now.cpuMs === undefined || spanStart.cpuMs === undefined || now.cpuMs - spanStart.cpuMs > couldRun * restingShare;
    spanStart = now;
    return worked;
  };
  const hasShown = (): boolean => {
    const now = signs();
    const shown = now.frames !== last.frames || now.consoleBytes !== last.consoleBytes;
    last = now;
    return shown;
  };

  return {
    tick(awaited) {
      const now = read();
      const [worked, shown] = [hasWorked(now), hasShown()];
      if (worked || shown) restingSince = now;
      const allowedMs = awaited && restMs[awaited];
      const restedMs = Math.round(couldRunMs(restingSince, now));
      return awaited && allowedMs !== undefined && restedMs > allowedMs
        ? { stage: awaited, allowedMs, restedMs }
        : undefined;
    },
  };
}
