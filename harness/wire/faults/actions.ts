import type { Choice } from '../../model/fault-choice.ts';
import type { WireFault, WireFaultAction } from '../../model/wire-faults.ts';
import { ethernetHeaderBytes } from '../codecs/ethernet.ts';
import { isChosen } from './choice.ts';
import { corrupted, hasPayload } from './corruption.ts';
import type { Direction } from './faults.ts';
import type { Matched } from './match.ts';
import { messageOf } from './message.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What is decided about a frame, when it is carried out: at once, or once what comes before has let the frame go. */
export type Way = () => void;
/** Decides about a frame as it arrives; `next` does for what passes. */
export type Step<About> = (frame: Buffer, about: About, next: (frame: Buffer) => Way) => Way;

export interface Arrival extends Matched {
  /** Draws for this frame alone. */
  readonly random: () => number;
}

export interface Setting {
  fault: WireFault;
  room: WaitingRoom;
  now(): number;
  /** Records that this frame met the fault. */
  met(action: WireFaultAction, frame: Buffer, matched: Matched): void;
  takeLinkDown(ms: number): void;
}

type Act = (setting: Setting) => Step<Arrival> | undefined;

/** A frame that waits to be swapped with the next goes on alone after this long. */
const swapMs = 100;

/** Numbers the frames of each direction for itself, so that it does not matter how the two interleave. */
function choosing(choice: Choice): (arrival: Arrival) => boolean {
  const numbers: Record<Direction, number> = { 'from-guest': 0, 'to-guest': 0 };
  return ({ direction, random }) => isChosen(choice, ++numbers[direction], random);
}

/** Logged by who does it, once it is done. */
const cutting: Act = ({ fault: { linkDownMs }, takeLinkDown }) => {
  if (typeof linkDownMs !== 'object') return undefined;
  const chosen = choosing(linkDownMs.of);
  return (frame, arrival, next) => {
    const go = next(frame);
    if (!chosen(arrival)) return go;
    return () => {
      go();
      takeLinkDown(linkDownMs.ms);
    };
  };
};

const dropping: Act = ({ fault: { drop }, met }) => {
  if (drop === undefined) return undefined;
  const chosen = choosing(drop);
  return (frame, arrival, next) => (chosen(arrival) ? () => met('drop', frame, arrival) : next(frame));
};

const shrinking: Act = ({ fault: { mtu }, met }) => {
  if (mtu === undefined) return undefined;
  return (frame, arrival, next) =>
    frame.length - ethernetHeaderBytes > mtu ? () => met('mtu', frame, arrival) : next(frame);
};

const corrupting: Act = ({ fault: { corrupt, mendChecksum = false }, met }) => {
  if (corrupt === undefined) return undefined;
  const chosen = choosing(corrupt);
  return (frame, arrival, next) => {
    const message = messageOf(frame);
    if (!hasPayload(message) || !chosen(arrival)) return next(frame);
    const go = next(corrupted(frame, message, arrival.random, mendChecksum));
    return () => {
      met('corrupt', frame, arrival);
      go();
    };
  };
};

const truncating: Act = ({ fault: { truncate }, met }) => {
  if (truncate === undefined) return undefined;
  const chosen = choosing(truncate.of);
  return (frame, arrival, next) => {
    if (messageOf(frame).payloadEnd <= truncate.bytes || !chosen(arrival)) return next(frame);
    const go = next(frame.subarray(0, truncate.bytes));
    return () => {
      met('truncate', frame, arrival);
      go();
    };
  };
};

const duplicating: Act = ({ fault: { duplicate }, met }) => {
  if (duplicate === undefined) return undefined;
  const chosen = choosing(duplicate);
  return (frame, arrival, next) => {
    if (!chosen(arrival)) return next(frame);
    // Delivered in place, the first may be changed.
    const [goFirst, goSecond] = [next(frame), next(Buffer.from(frame))];
    return () => {
      met('duplicate', frame, arrival);
      goFirst();
      goSecond();
    };
  };
};

/** A frame and the next one of its direction, which is to overtake it. */
function createSwap({ room, now }: Setting, overtaken: () => void) {
  let isTooLate = false;
  let goNow = (): boolean => false;
  return {
    wait(go: Way): void {
      if (isTooLate || room.isFull()) go();
      else goNow = room.leaveAt(now() + swapMs, go);
    },
    overtake(): void {
      isTooLate = true;
      if (goNow()) overtaken();
    },
  };
}

const reordering: Act = (setting) => {
  const { reorder } = setting.fault;
  if (reorder === undefined) return undefined;
  const chosen = choosing(reorder);
  const swaps = new Map<Direction, ReturnType<typeof createSwap>>();
  return (frame, arrival, next) => {
    const { direction } = arrival;
    const isNext = chosen(arrival);
    const before = swaps.get(direction);
    swaps.delete(direction);
    if (before !== undefined) {
      const go = next(frame);
      return () => {
        go();
        before.overtake();
      };
    }
    if (!isNext) return next(frame);
    const copy = Buffer.from(frame);
    const go = next(copy);
    const swap = createSwap(setting, () => setting.met('reorder', copy, arrival));
    swaps.set(direction, swap);
    return () => swap.wait(go);
  };
};

const delaying: Act = ({ fault: { delayMs }, room, now, met }) => {
  if (delayMs === undefined) return undefined;
  const [least, most] = typeof delayMs === 'number' ? [delayMs, delayMs] : delayMs;
  return (frame, arrival, next) => {
    const ms = least + arrival.random() * (most - least);
    const copy = Buffer.from(frame);
    const go = next(copy);
    return () => {
      if (room.isFull()) return met('drop', copy, arrival);
      met('delayMs', copy, arrival);
      room.leaveAt(now() + ms, go);
    };
  };
};

/** A link of this rate with a queue: frames leave one after another, each once its last byte is sent. */
const throttling: Act = ({ fault: { bytesPerSecond }, room, now, met }) => {
  if (bytesPerSecond === undefined) return undefined;
  const freeAt: Record<Direction, number> = { 'from-guest': 0, 'to-guest': 0 };
  return (frame, arrival, next) => {
    const { direction } = arrival;
    const copy = Buffer.from(frame);
    const go = next(copy);
    return () => {
      if (room.isFull()) return met('drop', copy, arrival);
      met('bytesPerSecond', copy, arrival);
      freeAt[direction] = Math.max(now(), freeAt[direction]) + (copy.length * 1000) / bytesPerSecond;
      room.leaveAt(freeAt[direction], go);
    };
  };
};

/** In the order in which a frame meets them. */
export const acts: readonly Act[] = [
  cutting,
  dropping,
  shrinking,
  corrupting,
  truncating,
  duplicating,
  reordering,
  delaying,
  throttling,
];
