import { tableBounds } from '../../model/bounds.ts';
import type { Guard } from '../guard.ts';

export interface Timing {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls `fn` once after `ms`, unless the returned function is called first; `setTimeout` by default. */
  setTimer?(fn: () => void, ms: number): () => void;
}

export interface WaitingRoom extends Disposable {
  /** Frames wait in a bounded number: further ones are to be dropped, as a router's queue does. */
  isFull(): boolean;
  /**
   * Calls `leave` at that time: earlier ones first, and those of the same time in the order in which they came. The
   * returned function has it leave at once, and says whether it was still waiting.
   */
  leaveAt(atMs: number, leave: () => void): () => boolean;
}

const realTimer: Required<Timing>['setTimer'] = (fn, ms) => {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
};

/** Frames that leave later, by one timer, so that none overtakes another; none leaves once disposed of. */
export function createWaitingRoom({ now, setTimer = realTimer }: Timing, guard: Guard): WaitingRoom {
  const waiting: { atMs: number; leave: () => void }[] = [];
  let cancel = (): void => {};

  function awaitFirst(): void {
    cancel();
    const [first] = waiting;
    if (first !== undefined) cancel = setTimer(onTime, Math.max(0, Math.ceil(first.atMs - now())));
  }

  function letGo(): void {
    for (let [first] = waiting; first !== undefined && first.atMs <= now(); [first] = waiting) {
      waiting.shift();
      first.leave();
    }
    awaitFirst();
  }

  const onTime = guard('the delivery of a late frame', letGo);

  return {
    isFull: () => waiting.length >= tableBounds.delayedFrames,
    leaveAt(atMs, leave) {
      const one = { atMs, leave };
      const place = waiting.findLastIndex((other) => other.atMs <= atMs) + 1;
      waiting.splice(place, 0, one);
      if (place === 0) awaitFirst();
      return () => {
        const at = waiting.indexOf(one);
        if (at < 0) return false;
        waiting.splice(at, 1);
        leave();
        return true;
      };
    },
    [Symbol.dispose]() {
      waiting.length = 0;
      cancel();
    },
  };
}
