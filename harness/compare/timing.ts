import type { CaseResult } from '../model/verdict.ts';

/** Guest CPU time before and after, as medians over the repeats, in ms. */
export interface TimingChange {
  beforeMs: number;
  afterMs: number;
}

/** Fewer repeats do not show how much noise there is. */
export const leastRepeats = 3;
/**
 * What other load on the host cannot do. A guest that polls uses what CPU time it gets: the same cells took up to 2.4 times
 * as much of it on an idle host as on a busy one, in one run up to 1.9 times, and up to 30 times as long on the clock.
 */
export const leastRatio = 3;
/** Smaller differences are of no interest, however steady. */
const leastMs = 100;

const median = (sorted: readonly number[]): number => sorted[Math.floor((sorted.length - 1) / 2)] as number;

/** Guest CPU times of the repeats from power-on, in order: what a template saved counts as spent. */
const cpuTimes = (repeats: readonly CaseResult[]): number[] =>
  repeats.map(({ run }) => run.guestCpuMs + (run.savedCpuMs ?? 0)).sort((a, b) => a - b);

/**
 * The change of a cell's guest CPU time, if it is more than its repeats vary and more than other load on the host could
 * cause. Undefined otherwise, and where a side has fewer than `leastRepeats`.
 */
export function timingChange(before: readonly CaseResult[], after: readonly CaseResult[]): TimingChange | undefined {
  if (Math.min(before.length, after.length) < leastRepeats) return undefined;
  const [old, now] = [cpuTimes(before), cpuTimes(after)];
  const overlap = (now[0] as number) <= (old.at(-1) as number) && (old[0] as number) <= (now.at(-1) as number);
  const [beforeMs, afterMs] = [median(old), median(now)];
  const [low, high] = [Math.min(beforeMs, afterMs), Math.max(beforeMs, afterMs)];
  return overlap || high - low < leastMs || high < low * leastRatio ? undefined : { beforeMs, afterMs };
}
