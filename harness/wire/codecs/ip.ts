import { sumBytes } from './checksum.ts';

export const protocols = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** What IPv4 and IPv6 have in common, as offsets into the frame. */
export interface IpView {
  readonly malformed?: undefined;
  readonly version: 4 | 6;
  readonly headerStart: number;
  /** 4 or 16 bytes each. */
  readonly sourceAt: number;
  readonly destinationAt: number;
  readonly hopLimit: number;
  readonly protocol: number;
  readonly payloadStart: number;
  /** By the header's length field; Ethernet padding comes after. */
  readonly payloadEnd: number;
}

/** The pseudo-header sum that UDP, TCP and ICMPv6 checksums start from (RFC 768, RFC 9293 §3.1, RFC 8200 §8.1). */
export function sumPseudoHeader(frame: Buffer, ip: IpView, protocol: number): number {
  const addressesEnd = ip.destinationAt + (ip.destinationAt - ip.sourceAt);
  return sumBytes(frame, ip.sourceAt, addressesEnd, protocol + (ip.payloadEnd - ip.payloadStart));
}
