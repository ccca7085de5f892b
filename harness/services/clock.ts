import type { Guard } from '../wire/guard.ts';

/** The clock of the services: real, or moved by hand in tests. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `fn` once after `ms`, unless the returned function is called first. */
  setTimer(fn: () => void, ms: number): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (fn, ms) => {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};

/** A clock whose failing timers end their case. */
export const guardedClock = ({ now, setTimer }: Clock, guard: Guard, where: string): Clock => ({
  now,
  setTimer: (fn, ms) => setTimer(guard(where, fn), ms),
});

/** Calls that wait for their time, until they are cancelled. */
export function createLater({ setTimer }: Clock) {
  const waiting = new Set<() => void>();
  return {
    call(fn: () => void, ms: number): void {
      const cancel = setTimer(() => {
        waiting.delete(cancel);
        fn();
      }, ms);
      waiting.add(cancel);
    },
    cancel(): void {
      for (const cancel of waiting) cancel();
      waiting.clear();
    },
  };
}
