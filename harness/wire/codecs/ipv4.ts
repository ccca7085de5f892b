import { finishChecksum, sumBytes } from './checksum.ts';
import type { IpView } from './ip.ts';
import { type Malformed, malformed } from './malformed.ts';

export const ipv4HeaderBytes = 20;
const defaultTtl = 64;
const dontFragment = 0x4000;

/** Parses an IPv4 header (RFC 791 §3.1). Fragments are refused: nothing here needs them. */
export function parseIpv4(frame: Buffer, start: number): IpView | Malformed {
  if (frame.length - start < ipv4HeaderBytes) return malformed('ipv4', 'shorter than a header');
  const versionAndLength = frame[start] as number;
  if (versionAndLength >> 4 !== 4) return malformed('ipv4', 'version is not 4');
  const headerBytes = (versionAndLength & 0x0f) * 4;
  const totalBytes = frame.readUInt16BE(start + 2);
  if (headerBytes < ipv4HeaderBytes || headerBytes > totalBytes) return malformed('ipv4', 'bad header length');
  if (totalBytes > frame.length - start) return malformed('ipv4', 'total length beyond the frame');
  if (finishChecksum(sumBytes(frame, start, start + headerBytes)) !== 0) {
    return malformed('ipv4', 'wrong header checksum');
  }
  if ((frame.readUInt16BE(start + 6) & 0x3fff) !== 0) return malformed('ipv4', 'fragment');
  return {
    version: 4,
    headerStart: start,
    sourceAt: start + 12,
    destinationAt: start + 16,
    hopLimit: frame[start + 8] as number,
    protocol: frame[start + 9] as number,
    payloadStart: start + headerBytes,
    payloadEnd: start + totalBytes,
  };
}

export interface Ipv4Header {
  readonly source: number;
  readonly destination: number;
  readonly protocol: number;
  readonly payloadBytes: number;
}

/** Writes a header without options; returns a view of the packet. */
export function writeIpv4(
  frame: Buffer,
  start: number,
  { source, destination, protocol, payloadBytes }: Ipv4Header,
): IpView {
  frame.writeUInt32BE(0x4500_0000 + ipv4HeaderBytes + payloadBytes, start);
  // Don't Fragment is set, so the identification has no meaning (RFC 6864 §4.1).
  frame.writeUInt32BE(dontFragment, start + 4);
  frame.writeUInt32BE(defaultTtl * 0x100_0000 + protocol * 0x1_0000, start + 8);
  frame.writeUInt32BE(source, start + 12);
  frame.writeUInt32BE(destination, start + 16);
  const payloadStart = start + ipv4HeaderBytes;
  frame.writeUInt16BE(finishChecksum(sumBytes(frame, start, payloadStart)), start + 10);
  return {
    version: 4,
    headerStart: start,
    sourceAt: start + 12,
    destinationAt: start + 16,
    hopLimit: defaultTtl,
    protocol,
    payloadStart,
    payloadEnd: payloadStart + payloadBytes,
  };
}
