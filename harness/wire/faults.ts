export type Direction = 'from-guest' | 'to-guest';

/**
 * What the network between guest and servers does to a frame: hands it on, as it is or changed, or loses it. Sniffer and
 * capture are at the guest's end: they see what it sent, whatever became of it, and only what reaches it.
 */
export type Faults = (frame: Buffer, direction: Direction) => Buffer | undefined;

/** A network without any. */
export const faultless: Faults = (frame) => frame;
