import type { ExpectedLength, RunStart } from '../model/reporter.ts';

/** Estimates how long a run still takes; `nowMs` are monotonic milliseconds. */
export interface TimeLeft {
  started(id: string, nowMs: number): void;
  ended(id: string): void;
  /** Undefined if nothing is known of the cases, or nothing is left. */
  leftMs(nowMs: number): number | undefined;
}

/** What the scheduler keeps busy. */
const usedShare = 0.88;
/** Guests that only wait are started this far apart at least. */
const apartMs = 250;
/** Until this much has been run, the speed of this host is taken to be the expected one. */
const trustMs = 20_000;
/** A case longer than expected is expected to be as much longer again. */
const overrunShare = 0.1;

interface Running {
  length: ExpectedLength;
  sinceMs: number;
}

/** How much of a case is done, by its time: never all of it before its end. */
const doneShare = ({ length, sinceMs }: Running, nowMs: number): number =>
  Math.min(1 - overrunShare, (nowMs - sinceMs) / Math.max(1, length.durationMs));

/** By guest CPU time over cores where guests keep the host busy, and never less than the longest case still needs. */
export function createTimeLeft({ expected = {}, cores = 1, jobs }: RunStart): TimeLeft {
  const waiting = new Map(Object.entries(expected));
  const running = new Map<string, Running>();
  let startedMs: number | undefined;
  let workDoneMs = 0;

  /** What a case adds to the run. */
  const workMs = ({ durationMs, guestCpuMs }: ExpectedLength): number =>
    Math.max(guestCpuMs / (cores * usedShare), Math.min(durationMs, jobs === undefined ? apartMs : durationMs / jobs));

  return {
    started(id, nowMs) {
      const length = waiting.get(id) ?? running.get(id)?.length ?? expected[id];
      if (length === undefined) return;
      startedMs ??= nowMs;
      waiting.delete(id);
      running.set(id, { length, sinceMs: nowMs });
    },
    ended(id) {
      waiting.delete(id);
      const one = running.get(id);
      if (one === undefined) return;
      workDoneMs += workMs(one.length);
      running.delete(id);
    },
    leftMs(nowMs) {
      if (waiting.size + running.size === 0 || startedMs === undefined) return undefined;
      const now = [...running.values()].map((one) => ({ one, share: doneShare(one, nowMs) }));
      const doneMs = now.reduce((sum, { one, share }) => sum + share * workMs(one.length), workDoneMs);
      const leftMs =
        [...waiting.values()].reduce((sum, length) => sum + workMs(length), 0) +
        now.reduce((sum, { one, share }) => sum + (1 - share) * workMs(one.length), 0);
      // This host compared with where the lengths were measured.
      const slowness = (nowMs - startedMs + trustMs) / (doneMs + trustMs);
      const longestMs = Math.max(
        0,
        ...now.map(({ one, share }) => (1 - share) * one.length.durationMs),
        ...[...waiting.values()].map(({ durationMs }) => durationMs),
      );
      return Math.max(leftMs * slowness, longestMs);
    },
  };
}
