import { parseDhcp } from './dhcp.ts';
import { icmpv6Types } from './icmpv6.ts';
import { dissect } from './packet.ts';

const unspecified = (frame: Buffer, at: number): boolean => frame.subarray(at, at + 16).every((byte) => byte === 0);

/**
 * Whether a host of the network would answer this frame of a guest's: DHCP, a router solicitation, any datagram, segment,
 * echo or lookup. Group reports, probes for duplicates of an own address and announcements get none.
 */
export function asksSomething(frame: Buffer): boolean {
  const packet = dissect(frame, false);
  if (packet.malformed) return false;
  switch (packet.kind) {
    case 'udp':
    case 'tcp':
    case 'icmp':
      return true;
    case 'icmpv6': {
      const { type } = packet.icmpv6;
      if (type === icmpv6Types.neighborSolicitation) return !unspecified(frame, packet.ip.sourceAt);
      return type === icmpv6Types.routerSolicitation || type === icmpv6Types.echoRequest;
    }
    case 'arp':
      return packet.arp.op === 'request' && packet.arp.senderIp !== 0 && packet.arp.senderIp !== packet.arp.targetIp;
    default:
      return false;
  }
}

const dhcpServerPort = 67;

/** Whether a frame of a guest's is a DHCPREQUEST (RFC 2131 §4.3.2) to a DHCP server. */
export function requestsLease(frame: Buffer): boolean {
  const packet = dissect(frame, false);
  if (packet.malformed || packet.kind !== 'udp' || packet.udp.destinationPort !== dhcpServerPort) return false;
  const { payloadStart, payloadEnd } = packet.udp;
  const parsed = parseDhcp(frame.subarray(payloadStart, payloadEnd));
  return 'message' in parsed && parsed.message.messageType === 'request';
}
