import { ethernetHeaderBytes } from './ethernet.ts';
import { type Malformed, malformed } from './malformed.ts';

/** ARP for IPv4 over Ethernet (RFC 826). */
export interface ArpView {
  readonly malformed?: undefined;
  readonly op: 'request' | 'reply';
  /** Offset of the 6 bytes in the frame. */
  readonly senderMacAt: number;
  readonly senderIp: number;
  readonly targetIp: number;
}

export const arpBytes = 28;
const ops = [undefined, 'request', 'reply'] as const;

export function parseArp(frame: Buffer, start: number): ArpView | Malformed {
  if (frame.length - start < arpBytes) return malformed('arp', 'shorter than 28 bytes');
  // Ethernet, IPv4, address lengths 6 and 4.
  if (frame.readUInt32BE(start) !== 0x0001_0800 || frame.readUInt16BE(start + 4) !== 0x0604) {
    return malformed('arp', 'not IPv4 over Ethernet');
  }
  const op = ops[frame.readUInt16BE(start + 6)];
  if (op === undefined) return malformed('arp', 'neither request nor reply');
  return {
    op,
    senderMacAt: start + 8,
    senderIp: frame.readUInt32BE(start + 14),
    targetIp: frame.readUInt32BE(start + 24),
  };
}

export interface ArpFields {
  readonly op: 'request' | 'reply';
  readonly senderMac: Buffer;
  readonly senderIp: number;
  readonly targetMac: Buffer;
  readonly targetIp: number;
}

/** Writes an ARP packet after the Ethernet header and returns where it ends. */
export function writeArp(frame: Buffer, { op, senderMac, senderIp, targetMac, targetIp }: ArpFields): number {
  const start = ethernetHeaderBytes;
  frame.writeUInt32BE(0x0001_0800, start);
  frame.writeUInt16BE(0x0604, start + 4);
  frame.writeUInt16BE(ops.indexOf(op), start + 6);
  senderMac.copy(frame, start + 8);
  frame.writeUInt32BE(senderIp, start + 14);
  targetMac.copy(frame, start + 18);
  return frame.writeUInt32BE(targetIp, start + 24);
}
