import type { Clock } from '../../harness/services/clock.ts';

export interface ManualClock extends Clock {
  /** Runs what is due up to `ms` from now, in order. */
  advance(ms: number): void;
  /** Goes to the next timer and runs it. */
  step(): void;
}

export function createManualClock(): ManualClock {
  let nowMs = 0;
  const timers = new Set<{ atMs: number; fn: () => void }>();
  const earliest = () => [...timers].reduce((one, other) => (other.atMs < one.atMs ? other : one));
  const run = (timer: { atMs: number; fn: () => void }) => {
    timers.delete(timer);
    nowMs = timer.atMs;
    timer.fn();
  };
  return {
    now: () => nowMs,
    setTimer(fn, ms) {
      const timer = { atMs: nowMs + ms, fn };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      while (timers.size > 0 && earliest().atMs <= untilMs) run(earliest());
      nowMs = untilMs;
    },
    step() {
      if (timers.size > 0) run(earliest());
    },
  };
}
