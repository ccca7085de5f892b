import { finishChecksum, sumBytes } from './checksum.ts';
import type { IpView } from './ip.ts';
import { type Malformed, malformed } from './malformed.ts';

export const icmpTypes = { echoReply: 0, echoRequest: 8 } as const;

export interface IcmpView {
  readonly malformed?: undefined;
  readonly type: number;
  readonly code: number;
}

const icmpHeaderBytes = 8;

/** Parses the head of an ICMP message (RFC 792); `verify` also checks the checksum. */
export function parseIcmp(frame: Buffer, ip: IpView, verify: boolean): IcmpView | Malformed {
  if (ip.payloadEnd - ip.payloadStart < icmpHeaderBytes) return malformed('icmp', 'shorter than a header');
  if (verify && finishChecksum(sumBytes(frame, ip.payloadStart, ip.payloadEnd)) !== 0) {
    return malformed('icmp', 'wrong checksum');
  }
  return { type: frame[ip.payloadStart] as number, code: frame[ip.payloadStart + 1] as number };
}

/** Writes the echo reply to `request`, which is as long as the payload of `ip`. */
export function writeEchoReply(frame: Buffer, ip: IpView, request: Buffer): void {
  const start = ip.payloadStart;
  request.copy(frame, start);
  frame.writeUInt32BE(icmpTypes.echoReply << 24, start);
  frame.writeUInt16BE(finishChecksum(sumBytes(frame, start, ip.payloadEnd)), start + 2);
}
