import { tableBounds } from '../../model/bounds.ts';
import type { EventSink, UntimedEvent } from '../../model/events.ts';
import type { Fault } from '../../model/faults.ts';
import type { WireFault, WireFaultAction } from '../../model/wire-faults.ts';
import { adjustChecksum } from '../codecs/checksum.ts';
import { ethernetHeaderBytes } from '../codecs/ethernet.ts';
import { chooser } from './choice.ts';
import type { Faults } from './faults.ts';
import { createMatcher, type Matched } from './match.ts';
import { messageOf } from './message.ts';
import { isInForce, type Progress } from './moment.ts';
import { randomFrom } from './random.ts';

export interface InjectorOptions extends Progress {
  readonly emit: EventSink;
}

export interface Injector extends Disposable {
  /** Undefined where the network does nothing on purpose. */
  readonly faults: Faults | undefined;
}

type Deliver = (frame: Buffer) => void;
/** On a frame's way to the next: an action of a fault, or a whole fault. */
type Passing<About> = (frame: Buffer, about: About, deliver: Deliver) => void;
type Step = Passing<Matched>;

/** A frame that waits to be swapped with the next goes on alone after this long. */
const swapMs = 100;
/** Frames that wait at a time: further ones are dropped, as a router's queue does. */
const queued = tableBounds.delayedFrames;

/** Flips one bit behind the headers, if there is anything; `mend` adjusts the checksum, if there is one. */
function corrupted(frame: Buffer, random: () => number, mend: boolean): Buffer {
  const { payloadAt, checksumAt } = messageOf(frame);
  const copy = Buffer.from(frame);
  if (payloadAt >= copy.length) return copy;
  const at = payloadAt + Math.floor(random() * (copy.length - payloadAt));
  copy[at] = (copy[at] as number) ^ (1 << Math.floor(random() * 8));
  const word = at - ((at - payloadAt) % 2);
  // UDP's 0 is no checksum (RFC 768).
  if (!mend || checksumAt === undefined || copy.readUInt16BE(checksumAt) === 0 || word + 1 >= copy.length) return copy;
  const checksum = adjustChecksum(copy.readUInt16BE(checksumAt), frame.readUInt16BE(word), copy.readUInt16BE(word));
  copy.writeUInt16BE(checksum, checksumAt);
  return copy;
}

/** Frames that leave later; none leaves once disposed of. */
function createWaitingRoom() {
  const timers = new Set<NodeJS.Timeout>();
  return {
    isFull: () => timers.size >= queued,
    leaveIn(ms: number, leave: () => void): () => void {
      const timer = setTimeout(() => {
        timers.delete(timer);
        leave();
      }, ms);
      timers.add(timer);
      return () => {
        if (!timers.delete(timer)) return;
        clearTimeout(timer);
        leave();
      };
    },
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

type WaitingRoom = ReturnType<typeof createWaitingRoom>;

interface Setting {
  fault: WireFault;
  random: () => number;
  room: WaitingRoom;
  now: () => number;
  /** Records that this frame met the fault. */
  met(action: WireFaultAction, frame: Buffer, matched: Matched): void;
}

type Act = (setting: Setting) => Step | undefined;

const dropping: Act = ({ fault: { drop }, random, met }) => {
  if (drop === undefined) return undefined;
  const isChosen = chooser(drop, random);
  return (frame, matched, deliver) => (isChosen() ? met('drop', frame, matched) : deliver(frame));
};

const shrinking: Act = ({ fault: { mtu }, met }) => {
  if (mtu === undefined) return undefined;
  return (frame, matched, deliver) =>
    frame.length - ethernetHeaderBytes > mtu ? met('mtu', frame, matched) : deliver(frame);
};

const corrupting: Act = ({ fault: { corrupt, mendChecksum = false }, random, met }) => {
  if (corrupt === undefined) return undefined;
  const isChosen = chooser(corrupt, random);
  return (frame, matched, deliver) => {
    if (!isChosen()) return deliver(frame);
    met('corrupt', frame, matched);
    deliver(corrupted(frame, random, mendChecksum));
  };
};

const truncating: Act = ({ fault: { truncate }, random, met }) => {
  if (truncate === undefined) return undefined;
  const isChosen = chooser(truncate.of, random);
  return (frame, matched, deliver) => {
    if (frame.length <= truncate.bytes || !isChosen()) return deliver(frame);
    met('truncate', frame, matched);
    deliver(frame.subarray(0, truncate.bytes));
  };
};

const duplicating: Act = ({ fault: { duplicate }, random, met }) => {
  if (duplicate === undefined) return undefined;
  const isChosen = chooser(duplicate, random);
  return (frame, matched, deliver) => {
    if (!isChosen()) return deliver(frame);
    met('duplicate', frame, matched);
    // Delivered in place, it may be changed.
    const second = Buffer.from(frame);
    deliver(frame);
    deliver(second);
  };
};

const reordering: Act = ({ fault: { reorder }, random, room, met }) => {
  if (reorder === undefined) return undefined;
  const isChosen = chooser(reorder, random);
  let goNow: (() => void) | undefined;
  return (frame, matched, deliver) => {
    const goBehind = goNow;
    goNow = undefined;
    if (goBehind === undefined && isChosen() && !room.isFull()) {
      met('reorder', frame, matched);
      const copy = Buffer.from(frame);
      goNow = room.leaveIn(swapMs, () => deliver(copy));
      return;
    }
    deliver(frame);
    goBehind?.();
  };
};

const delaying: Act = ({ fault: { delayMs }, random, room, met }) => {
  if (delayMs === undefined) return undefined;
  const [least, most] = typeof delayMs === 'number' ? [delayMs, delayMs] : delayMs;
  return (frame, matched, deliver) => {
    if (room.isFull()) return met('drop', frame, matched);
    met('delayMs', frame, matched);
    const copy = Buffer.from(frame);
    room.leaveIn(least + random() * (most - least), () => deliver(copy));
  };
};

/** A link of this rate with a queue: frames leave one after another. */
const throttling: Act = ({ fault: { bytesPerSecond }, room, now, met }) => {
  if (bytesPerSecond === undefined) return undefined;
  const freeAt = { 'from-guest': 0, 'to-guest': 0 };
  return (frame, matched, deliver) => {
    if (room.isFull()) return met('bytesPerSecond', frame, matched);
    const startMs = Math.max(now(), freeAt[matched.direction]);
    freeAt[matched.direction] = startMs + (frame.length * 1000) / bytesPerSecond;
    const copy = Buffer.from(frame);
    room.leaveIn(freeAt[matched.direction] - now(), () => deliver(copy));
  };
};

/** In the order in which a frame meets them. */
const acts: readonly Act[] = [
  dropping,
  shrinking,
  corrupting,
  truncating,
  duplicating,
  reordering,
  delaying,
  throttling,
];

/** This many frames of a fault are logged one by one; the last count always is, when the case ends. */
const loggedFrames = 250;

type FaultEvent = Extract<UntimedEvent, { source: 'wire'; type: 'fault' }>;

type FaultLog = ReturnType<typeof createFaultLog>;

/** Logs the frames that meet one fault of the scenario. */
function createFaultLog(fault: number, emit: EventSink) {
  const counts = new Map<WireFaultAction, number>();
  const unlogged = new Map<WireFaultAction, FaultEvent>();
  return {
    met(action: WireFaultAction, frame: Buffer, { direction, file }: Matched): void {
      const count = (counts.get(action) ?? 0) + 1;
      counts.set(action, count);
      const { protocol, message } = messageOf(frame);
      const of = file === undefined ? [] : ['of', file];
      const what = [protocol ?? 'other', ...(message === undefined ? [] : [message]), ...of].join(' ');
      const event: FaultEvent = {
        ...{ source: 'wire', type: 'fault', fault, action, direction, what },
        ...{ bytes: frame.length, count },
      };
      if (count <= loggedFrames) emit(event);
      else unlogged.set(action, event);
    },
    end(): void {
      for (const event of unlogged.values()) emit(event);
      unlogged.clear();
    },
  };
}

function faultsOf(
  fault: WireFault,
  { index, room, met }: Pick<Setting, 'room' | 'met'> & { index: number },
  progress: Progress,
): Faults {
  const setting: Setting = { fault, random: randomFrom(fault.seed + index), room, now: progress.now, met };
  const whole = chained<Matched>(acts.flatMap((act) => act(setting) ?? []));
  const match = createMatcher(fault, () => isInForce(fault, progress));
  return (frame, direction, deliver) => {
    const matched = match(frame, direction);
    if (matched === undefined) deliver(frame);
    else whole(frame, matched, deliver);
  };
}

function chained<About>(steps: readonly Passing<About>[]): Passing<About> {
  return steps.reduceRight<Passing<About>>(
    (next, step) => (frame, about, deliver) => step(frame, about, (passed) => next(passed, about, deliver)),
    (frame, _, deliver) => deliver(frame),
  );
}

/** Carries out the faults of a scenario that the network has, one after another for each frame. */
export function createInjector(faults: readonly Fault[], options: InjectorOptions): Injector {
  const room = createWaitingRoom();
  const logs: FaultLog[] = [];
  const injected = faults.flatMap((fault, index) => {
    if (fault.server !== undefined) return [];
    const log = createFaultLog(index, options.emit);
    logs.push(log);
    return faultsOf(fault, { index, room, met: log.met }, options);
  });
  return {
    faults: injected.length === 0 ? undefined : chained(injected),
    [Symbol.dispose]() {
      room[Symbol.dispose]();
      for (const log of logs) log.end();
    },
  };
}
