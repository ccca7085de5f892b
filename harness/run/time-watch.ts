import type { Accel } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { AttemptRecords } from './attempt-records.ts';
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
  records: Pick<AttemptRecords, 'emit' | 'now'>;
  signs(): Signs;
  /** Whether a guest at rest is ended. */
  restEnds: boolean;
}

const tickMs = 250;

/** Says by events when the guest's time is up: a stage did not come, or it is plainly at rest. Begins at once. */
export function watchTime({ plan, accel, pid, records: { emit, now }, signs, restEnds }: TimeWatchOptions): TimeWatch {
  const readAt = guestTimeReader(pid);
  let reading = readAt(now());
  const deadlines = createDeadlineClock(plan, accel !== 'tcg', () => reading);
  const rest = createRestWatch(plan, () => reading, signs);

  const ticker = setInterval(() => {
    reading = readAt(now());
    const deadline = deadlines.tick();
    const silence = restEnds ? rest.tick(deadlines.awaited()) : undefined;
    if (deadline) emit({ source: 'run', type: 'deadline', ...deadline });
    else if (silence) emit({ source: 'run', type: 'silent', ...silence });
  }, tickMs);

  return {
    reached(stage) {
      reading = readAt(now());
      deadlines.reached(stage);
    },
    [Symbol.dispose]: () => clearInterval(ticker),
  };
}
