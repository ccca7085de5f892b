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
