import type { Accel } from '../../model/axes.ts';
import type { UntimedEvent } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import type { Stage } from '../../model/stages.ts';
import { createDeadlineClock } from './deadline-clock.ts';
import { guestTimeReader } from './guest-time.ts';
import { createRestWatch, type Signs } from './rest-watch.ts';

export interface TimeWatch extends Disposable {
  reached(stage: Stage): void;
}

export interface TimeWatchOptions {
  plan: Plan;
  accel: Accel;
  /** QEMU's process. */
  pid: number;
  signs(): Signs;
  /** Whether to end a guest at rest. */
  restEnds: boolean;
  /** Called once. */
  onTimeUp(event: TimeUp): void;
}

/** A stage deadline expired, or the guest is at rest. */
type TimeUp = Extract<UntimedEvent, { type: 'deadline' | 'silent' }>;

/** Deadlines are many seconds long, and reading the time of every thread costs a quarter of a millisecond. */
const tickMs = 1000;

/** Calls `onTimeUp` when the time of the guest is up. Starts at once. */
export function watchTime(options: TimeWatchOptions): TimeWatch {
  const { plan, accel, pid, signs, restEnds } = options;
  const now = () => performance.now();
  const readAt = guestTimeReader(pid);
  let reading = readAt(now());
  const deadlines = createDeadlineClock(plan, accel !== 'tcg', () => reading);
  const rest = createRestWatch(plan, () => reading, signs);

  const ticker = setInterval(() => {
    reading = readAt(now());
    const deadline = deadlines.tick();
    const silence = restEnds ? rest.tick(deadlines.awaited()) : undefined;
    if (!deadline && !silence) return;
    clearInterval(ticker);
    if (deadline) options.onTimeUp({ source: 'run', type: 'deadline', ...deadline });
    else if (silence) options.onTimeUp({ source: 'run', type: 'silent', ...silence });
  }, tickMs);

  return {
    reached(stage) {
      reading = readAt(now());
      deadlines.reached(stage);
    },
    [Symbol.dispose]: () => clearInterval(ticker),
  };
}
