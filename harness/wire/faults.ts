export type Direction = 'from-guest' | 'to-guest';

/**
 * What the network between guest and servers does to a frame: passes it on, intact or altered, or drops it. Sniffer and
 * capture sit at the guest's end: they see everything it sends, and only what reaches it.
 */
export type Faults = (frame: Buffer, direction: Direction) => Buffer | undefined;

/** A network that loses nothing. */
export const faultless: Faults = (frame) => frame;
