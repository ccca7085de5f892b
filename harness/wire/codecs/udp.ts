import { finishChecksum, sumBytes } from './checksum.ts';
import { type IpView, protocols, sumPseudoHeader } from './ip.ts';
import { type Malformed, malformed } from './malformed.ts';

export const udpHeaderBytes = 8;

export interface UdpView {
  readonly malformed?: undefined;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** Parses a UDP header (RFC 768). `verify` also checks the checksum, which IPv6 requires (RFC 8200 §8.1). */
export function parseUdp(frame: Buffer, ip: IpView, verify: boolean): UdpView | Malformed {
  const start = ip.payloadStart;
  const available = ip.payloadEnd - start;
  if (available < udpHeaderBytes) return malformed('udp', 'shorter than a header');
  const length = frame.readUInt16BE(start + 4);
  if (length < udpHeaderBytes) return malformed('udp', 'length below 8');
  if (length > available) return malformed('udp', 'length beyond the packet');
  if (verify) {
    const checksum = frame.readUInt16BE(start + 6);
    if (checksum === 0 && ip.version === 6) return malformed('udp', 'no checksum over IPv6');
    // The pseudo-header uses UDP's own length, which may be less than the packet's.
    const sum = sumPseudoHeader(frame, ip, protocols.udp) - available + length;
    if (checksum !== 0 && finishChecksum(sumBytes(frame, start, start + length, sum)) !== 0) {
      return malformed('udp', 'wrong checksum');
    }
  }
  return {
    sourcePort: frame.readUInt16BE(start),
    destinationPort: frame.readUInt16BE(start + 2),
    payloadStart: start + udpHeaderBytes,
    payloadEnd: start + length,
  };
}

/** Writes header and payload of the datagram that fills `ip`, with its checksum. */
export function writeUdp(
  frame: Buffer,
  ip: IpView,
  { sourcePort, destinationPort }: Pick<UdpView, 'sourcePort' | 'destinationPort'>,
  payload: Buffer,
): void {
  const start = ip.payloadStart;
  frame.writeUInt16BE(sourcePort, start);
  frame.writeUInt16BE(destinationPort, start + 2);
  frame.writeUInt16BE(udpHeaderBytes + payload.length, start + 4);
  frame.writeUInt16BE(0, start + 6);
  frame.set(payload, start + udpHeaderBytes);
  const checksum = finishChecksum(sumBytes(frame, start, ip.payloadEnd, sumPseudoHeader(frame, ip, protocols.udp)));
  // Zero would mean no checksum (RFC 768).
  frame.writeUInt16BE(checksum === 0 ? 0xffff : checksum, start + 6);
}
