import { finishChecksum, sumBytes } from './checksum.ts';
import { type IpView, protocols, sumPseudoHeader } from './ip.ts';
import { type Malformed, malformed } from './malformed.ts';

export const tcpHeaderBytes = 20;
export const tcpFlags = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

export interface TcpView {
  readonly malformed?: undefined;
  readonly start: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** Parses a TCP header (RFC 9293 §3.1); `verify` also checks the checksum. */
export function parseTcp(frame: Buffer, ip: IpView, verify: boolean): TcpView | Malformed {
  const start = ip.payloadStart;
  if (ip.payloadEnd - start < tcpHeaderBytes) return malformed('tcp', 'shorter than a header');
  const headerBytes = ((frame[start + 12] as number) >> 4) * 4;
  if (headerBytes < tcpHeaderBytes || headerBytes > ip.payloadEnd - start) return malformed('tcp', 'bad data offset');
  if (verify) {
    const sum = sumBytes(frame, start, ip.payloadEnd, sumPseudoHeader(frame, ip, protocols.tcp));
    if (finishChecksum(sum) !== 0) return malformed('tcp', 'wrong checksum');
  }
  return {
    start,
    sourcePort: frame.readUInt16BE(start),
    destinationPort: frame.readUInt16BE(start + 2),
    sequence: frame.readUInt32BE(start + 4),
    acknowledgment: frame.readUInt32BE(start + 8),
    flags: frame[start + 13] as number,
    payloadStart: start + headerBytes,
    payloadEnd: ip.payloadEnd,
  };
}

export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
}

/** Writes a segment without options or data that fills `ip`, with its checksum. */
export function writeTcp(frame: Buffer, ip: IpView, fields: TcpFields): void {
  const start = ip.payloadStart;
  frame.writeUInt16BE(fields.sourcePort, start);
  frame.writeUInt16BE(fields.destinationPort, start + 2);
  frame.writeUInt32BE(fields.sequence, start + 4);
  frame.writeUInt32BE(fields.acknowledgment, start + 8);
  frame.writeUInt32BE(0x5000_0000 + fields.flags * 0x1_0000, start + 12);
  frame.writeUInt32BE(0, start + 16);
  const sum = sumBytes(frame, start, start + tcpHeaderBytes, sumPseudoHeader(frame, ip, protocols.tcp));
  frame.writeUInt16BE(finishChecksum(sum), start + 16);
}
