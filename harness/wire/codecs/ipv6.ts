import type { IpView } from './ip.ts';
import { type Malformed, malformed } from './malformed.ts';

export const ipv6HeaderBytes = 40;

const skippableHeaders: ReadonlySet<number> = new Set([0, 43, 60]);
const fragmentHeader = 44;

/** Parses an IPv6 header and skips hop-by-hop, routing and destination options (RFC 8200 §3, §4). */
export function parseIpv6(frame: Buffer, start: number): IpView | Malformed {
  if (frame.length - start < ipv6HeaderBytes) return malformed('ipv6', 'shorter than a header');
  if ((frame[start] as number) >> 4 !== 6) return malformed('ipv6', 'version is not 6');
  const payloadEnd = start + ipv6HeaderBytes + frame.readUInt16BE(start + 4);
  if (payloadEnd > frame.length) return malformed('ipv6', 'payload length beyond the frame');
  let protocol = frame[start + 6] as number;
  let payloadStart = start + ipv6HeaderBytes;
  while (skippableHeaders.has(protocol)) {
    if (payloadEnd - payloadStart < 8) return malformed('ipv6', 'extension header cut short');
    protocol = frame[payloadStart] as number;
    payloadStart += ((frame[payloadStart + 1] as number) + 1) * 8;
    if (payloadStart > payloadEnd) return malformed('ipv6', 'extension header beyond the payload');
  }
  if (protocol === fragmentHeader) return malformed('ipv6', 'fragment');
  return {
    version: 6,
    headerStart: start,
    sourceAt: start + 8,
    destinationAt: start + 24,
    hopLimit: frame[start + 7] as number,
    protocol,
    payloadStart,
    payloadEnd,
  };
}

export interface Ipv6Header {
  /** Of 16 bytes. */
  readonly source: Buffer;
  readonly destination: Buffer;
  readonly protocol: number;
  readonly payloadBytes: number;
  readonly hopLimit: number;
}

/** Writes a header; returns a view of the packet. */
export function writeIpv6(
  frame: Buffer,
  start: number,
  { source, destination, protocol, payloadBytes, hopLimit }: Ipv6Header,
): IpView {
  frame.writeUInt32BE(0x6000_0000, start);
  frame.writeUInt16BE(payloadBytes, start + 4);
  frame[start + 6] = protocol;
  frame[start + 7] = hopLimit;
  source.copy(frame, start + 8);
  destination.copy(frame, start + 24);
  const payloadStart = start + ipv6HeaderBytes;
  return {
    version: 6,
    headerStart: start,
    sourceAt: start + 8,
    destinationAt: start + 24,
    hopLimit,
    protocol,
    payloadStart,
    payloadEnd: payloadStart + payloadBytes,
  };
}
