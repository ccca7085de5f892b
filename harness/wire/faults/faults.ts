export type Direction = 'from-guest' | 'to-guest';

/**
 * What the network between guest and servers does to a frame: calls `deliver` once, or never, more than once, later, or
 * with other bytes. Sniffer and capture sit at the guest's end: they see everything it sends, and only what reaches it;
 * the sniffer learns nothing from what a checksum shows to be damaged.
 * The frame is valid only during the call.
 */
export type Faults = (frame: Buffer, direction: Direction, deliver: (frame: Buffer) => void) => void;

/** What one leaves of a frame, the other is given. */
export function inTurn(one: Faults | undefined, other: Faults | undefined): Faults | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (frame, direction, deliver) => one(frame, direction, (passed) => other(passed, direction, deliver));
}
