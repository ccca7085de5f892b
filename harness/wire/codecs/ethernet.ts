import { equalsAt } from './addresses.ts';

export const ethernetHeaderBytes = 14;
/** Shortest frame on the wire, without its check sequence; shorter ones are padded. */
export const minFrameBytes = 60;
export const mtuBytes = 1500;

export const etherTypes = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

const destinationAt = 0;
const sourceAt = 6;
const typeAt = 12;

export const broadcastMac = Buffer.alloc(6, 0xff);

/** Views of a frame known to hold a whole header. */
export const ethernet = { destinationAt, sourceAt, typeAt } as const;

/** Writes a header at the start of `frame` and returns where the payload starts. */
export function writeEthernet(frame: Buffer, destination: Buffer, source: Buffer, etherType: number): number {
  destination.copy(frame, destinationAt);
  source.copy(frame, sourceAt);
  return frame.writeUInt16BE(etherType, typeAt);
}

/** Whether a frame is for this MAC, broadcast or multicast. */
export function isFor(frame: Buffer, mac: Buffer): boolean {
  if (((frame[destinationAt] as number) & 1) === 1) return true;
  return equalsAt(frame, destinationAt, mac);
}
