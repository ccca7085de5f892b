import { type Stage, stages } from '../model/stages.ts';
import type { CaseResult } from '../model/verdict.ts';

/** A figure that moved by more than repeats of the same cell vary. */
export interface TimingChange {
  /** Guest CPU time, or the time from the previous stage to this one. */
  what: 'guest CPU' | Stage;
  /** Medians, ms. */
  beforeMs: number;
  afterMs: number;
}

/** Fewer repeats do not show how much noise there is. */
export const leastRepeats = 3;
/** Smaller differences are of no interest, however steady. */
const leastMs = 100;
const leastRatio = 1.05;

const median = (sorted: readonly number[]): number => sorted[Math.floor((sorted.length - 1) / 2)] as number;

/** Milliseconds each figure of a case took, by name. */
function figuresOf({ verdict, run }: CaseResult): Map<TimingChange['what'], number> {
  const figures = new Map<TimingChange['what'], number>([['guest CPU', run.guestCpuMs + (run.savedCpuMs ?? 0)]]);
  let last = 0;
  for (const stage of stages) {
    const atMs = verdict.stages.find((one) => one.stage === stage)?.atMs ?? null;
    if (atMs === null) continue;
    figures.set(stage, Math.max(0, atMs - last));
    last = atMs;
  }
  return figures;
}

function rangeOf(repeats: readonly CaseResult[], what: TimingChange['what']): number[] | undefined {
  const values = repeats.map((one) => figuresOf(one).get(what));
  return values.every((value) => value !== undefined) ? (values as number[]).sort((a, b) => a - b) : undefined;
}

/**
 * Figures whose ranges over the repeats of either side do not overlap; none where a side has fewer than `leastRepeats`.
 */
export function timingChanges(before: readonly CaseResult[], after: readonly CaseResult[]): TimingChange[] {
  if (Math.min(before.length, after.length) < leastRepeats) return [];
  return (['guest CPU', ...stages] as const).flatMap((what) => {
    const [old, now] = [rangeOf(before, what), rangeOf(after, what)];
    if (old === undefined || now === undefined) return [];
    const overlap = (now[0] as number) <= (old.at(-1) as number) && (old[0] as number) <= (now.at(-1) as number);
    const [beforeMs, afterMs] = [median(old), median(now)];
    const [low, high] = [Math.min(beforeMs, afterMs), Math.max(beforeMs, afterMs)];
    if (overlap || high - low < leastMs || high < low * leastRatio) return [];
    return [{ what, beforeMs, afterMs }];
  });
}
