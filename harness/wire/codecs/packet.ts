import { type ArpView, parseArp } from './arp.ts';
import { ethernet, ethernetHeaderBytes, etherTypes } from './ethernet.ts';
import { type IcmpView, parseIcmp } from './icmp.ts';
import { type Icmpv6View, parseIcmpv6 } from './icmpv6.ts';
import { type IpView, protocols } from './ip.ts';
import { parseIpv4 } from './ipv4.ts';
import { parseIpv6 } from './ipv6.ts';
import type { Malformed } from './malformed.ts';
import { parseTcp, type TcpView } from './tcp.ts';
import { parseUdp, type UdpView } from './udp.ts';

interface Dissected<Kind extends string> {
  readonly malformed?: undefined;
  readonly kind: Kind;
  readonly frame: Buffer;
}
export type ArpPacket = Dissected<'arp'> & { readonly arp: ArpView };
export type UdpPacket = Dissected<'udp'> & { readonly ip: IpView; readonly udp: UdpView };
export type TcpPacket = Dissected<'tcp'> & { readonly ip: IpView; readonly tcp: TcpView };
export type IcmpPacket = Dissected<'icmp'> & { readonly ip: IpView; readonly icmp: IcmpView };
export type Icmpv6Packet = Dissected<'icmpv6'> & { readonly ip: IpView; readonly icmpv6: Icmpv6View };
/** One frame, dissected once for all consumers; `other` is any protocol not handled here. */
export type Packet = ArpPacket | UdpPacket | TcpPacket | IcmpPacket | Icmpv6Packet | Dissected<'other'>;

/** Dissects a frame of at least 14 bytes. `verify` also checks the checksums above IP. */
export function dissect(frame: Buffer, verify: boolean): Packet | Malformed {
  switch (frame.readUInt16BE(ethernet.typeAt)) {
    case etherTypes.ipv4:
      return dissectIp(frame, parseIpv4(frame, ethernetHeaderBytes), verify);
    case etherTypes.ipv6:
      return dissectIp(frame, parseIpv6(frame, ethernetHeaderBytes), verify);
    case etherTypes.arp: {
      const arp = parseArp(frame, ethernetHeaderBytes);
      return arp.malformed ? arp : { kind: 'arp', frame, arp };
    }
    default:
      return { kind: 'other', frame };
  }
}

function dissectIp(frame: Buffer, ip: IpView | Malformed, verify: boolean): Packet | Malformed {
  if (ip.malformed) return ip;
  if (ip.protocol === protocols.udp) {
    const udp = parseUdp(frame, ip, verify);
    return udp.malformed ? udp : { kind: 'udp', frame, ip, udp };
  }
  if (ip.protocol === protocols.tcp) {
    const tcp = parseTcp(frame, ip, verify);
    return tcp.malformed ? tcp : { kind: 'tcp', frame, ip, tcp };
  }
  if (ip.protocol === protocols.icmp && ip.version === 4) {
    const icmp = parseIcmp(frame, ip, verify);
    return icmp.malformed ? icmp : { kind: 'icmp', frame, ip, icmp };
  }
  if (ip.protocol === protocols.icmpv6 && ip.version === 6) {
    const icmpv6 = parseIcmpv6(frame, ip, verify);
    return icmpv6.malformed ? icmpv6 : { kind: 'icmpv6', frame, ip, icmpv6 };
  }
  return { kind: 'other', frame };
}
