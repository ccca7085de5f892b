import { watchLateness } from '../../os/lateness.ts';
import { watchStalls } from './stall-watch.ts';

/** Watches for times in which a guest that runs goes unanswered. Disposal tells what happened until then. */
export interface GuestLatenessWatch extends Disposable {
  /** The guest stands still from now on, and cannot give up. Tells what happened until then. */
  pause(): void;
  resume(): void;
}

type OnLate = (who: 'harness' | 'qemu', lateMs: number) => void;

/** Calls `onLate` when we, or the QEMU `pid`, could serve the guest nothing for `mindsMs` or more. */
export function watchGuestLateness(pid: number, mindsMs: number, onLate: OnLate): GuestLatenessWatch {
  const begin = () => [
    watchLateness(mindsMs, (ms) => onLate('harness', ms)),
    watchStalls(pid, mindsMs, (ms) => onLate('qemu', ms)),
  ];
  let watching = begin();
  let isOver = false;

  function pause(): void {
    for (const watch of watching) {
      watch.look();
      watch[Symbol.dispose]();
    }
    watching = [];
  }
  return {
    pause,
    resume() {
      if (!isOver && watching.length === 0) watching = begin();
    },
    [Symbol.dispose]() {
      isOver = true;
      pause();
    },
  };
}
