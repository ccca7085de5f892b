import type { EventSink } from '../../model/events.ts';
import { type Fault, isOfWire } from '../../model/faults.ts';
import { createGuard } from '../guard.ts';
import { type Arrival, acts, type Setting, type Step, type Way } from './actions.ts';
import { createFaultLog, type FaultLog } from './fault-log.ts';
import type { Direction, Faults } from './faults.ts';
import { createMatcher } from './match.ts';
import { isInForce, type Progress } from './moment.ts';
import { randomOf } from './random.ts';
import { createWaitingRoom, type Timing } from './waiting-room.ts';

export interface InjectorOptions extends Progress, Timing {
  readonly emit: EventSink;
  /** Takes the guest's link down because of the fault of this index. */
  takeLinkDown(fault: number, ms: number): void;
}

export interface Injector extends Disposable {
  /** Undefined where the network does nothing on purpose. */
  readonly faults: Faults | undefined;
}

/** What decides about a frame, one after another. */
function chained<About>(steps: readonly Step<About>[]): Step<About> {
  return steps.reduceRight<Step<About>>(
    (rest, step) => (frame, about, next) => step(frame, about, (passed) => rest(passed, about, next)),
    (frame, _, next) => next(frame),
  );
}

const directionKeys: Record<Direction, number> = { 'from-guest': 0, 'to-guest': 1 };

/** What is drawn for a frame depends on the seed, the fault, and the frame's number among those of its direction. */
function stepOf(setting: Setting, index: number, progress: Progress): Step<Direction> {
  const { fault } = setting;
  const whole = chained<Arrival>(acts.flatMap((act) => act(setting) ?? []));
  const match = createMatcher(fault, () => isInForce(fault, progress));
  const numbers: Record<Direction, number> = { 'from-guest': 0, 'to-guest': 0 };
  return (frame, direction, next) => {
    const matched = match(frame, direction);
    if (matched === undefined) return next(frame);
    const random = randomOf(fault.seed, index, directionKeys[direction], ++numbers[direction]);
    return whole(frame, { ...matched, random }, next);
  };
}

/**
 * Carries out the faults of a scenario that the network has, one after another for each frame. All that they do to it is
 * decided as it arrives, before any of them holds it back: it depends on the frames of its direction so far, and on
 * neither their timing nor those of the other direction. Only `from`, `until`, a name asked for, and a full queue can
 * differ.
 */
export function createInjector(faults: readonly Fault[], options: InjectorOptions): Injector {
  const room = createWaitingRoom(options, createGuard(options.emit));
  const logs: FaultLog[] = [];
  const steps = faults.flatMap((fault, index) => {
    if (!isOfWire(fault)) return [];
    const log = createFaultLog(index, options.emit);
    logs.push(log);
    const takeLinkDown = (ms: number): void => options.takeLinkDown(index, ms);
    return stepOf({ fault, room, now: options.now, met: log.met, takeLinkDown }, index, options);
  });
  const whole = chained(steps);
  const carryOut: Faults = (frame, direction, deliver) => {
    const last =
      (passed: Buffer): Way =>
      () =>
        deliver(passed);
    whole(frame, direction, last)();
  };
  return {
    faults: steps.length === 0 ? undefined : carryOut,
    [Symbol.dispose]() {
      room[Symbol.dispose]();
      for (const log of logs) log.end();
    },
  };
}
