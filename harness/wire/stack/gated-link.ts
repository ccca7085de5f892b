import type { Link } from './link.ts';

/** A link whose frames from the guest can be made to wait. */
export interface GatedLink extends Link {
  readonly waiting: readonly Buffer[];
  /** Passes on a frame as if it had just arrived. */
  deliver(frame: Buffer): void;
  /** Passes on what has waited; from now on nothing waits. */
  open(): void;
}

/** Frames pass as long as `passes` says so; from the first that does not, all wait until the gate is opened. */
export function gatedLink(link: Link, passes: (frame: Buffer) => boolean): GatedLink {
  const listeners: ((frame: Buffer) => void)[] = [];
  let waiting: Buffer[] = [];
  let isOpen = false;
  const deliver = (frame: Buffer): void => {
    for (const listener of listeners) listener(frame);
  };
  link.onFrame((frame) => {
    if (isOpen || (waiting.length === 0 && passes(frame))) deliver(frame);
    // The buffer is the link's own.
    else waiting.push(Buffer.from(frame));
  });
  return {
    ...link,
    onFrame: (listener) => void listeners.push(listener),
    get waiting() {
      return waiting;
    },
    deliver,
    open() {
      isOpen = true;
      const due = waiting;
      waiting = [];
      for (const frame of due) deliver(frame);
    },
  };
}
