import type { Network } from '../../model/plan.ts';
import { equalsAt, ipv6Bytes, macBytes } from '../codecs/addresses.ts';
import { writeArp } from '../codecs/arp.ts';
import { ethernet, ethernetHeaderBytes, etherTypes, isFor, mtuBytes, writeEthernet } from '../codecs/ethernet.ts';
import { icmpTypes, writeEchoReply } from '../codecs/icmp.ts';
import { icmpv6Types, neighborAdvertisement, routerAdvertisement, writeIcmpv6 } from '../codecs/icmpv6.ts';
import { type IpView, protocols } from '../codecs/ip.ts';
import { ipv4HeaderBytes, writeIpv4 } from '../codecs/ipv4.ts';
import { ipv6HeaderBytes, writeIpv6 } from '../codecs/ipv6.ts';
import type { MalformedLog } from '../codecs/malformed.ts';
import type { ArpPacket, IcmpPacket, Icmpv6Packet, Packet } from '../codecs/packet.ts';
import { type Hosts, hostsOf } from './server-addresses.ts';
import type { UdpHost } from './udp-host.ts';
import { createUdpPorts } from './udp-ports.ts';

export interface Stack {
  readonly udp: UdpHost;
  /** One frame from the guest, taken apart; true where it is a datagram for a service. TCP is not for the stack. */
  receive(packet: Packet): boolean;
  close(): void;
}

const limitedBroadcast = 0xffff_ffff;
const neighborHopLimit = 255;
const routerLifetimeSeconds = 1800;
const allNodes = Buffer.from('ff020000000000000000000000000001', 'hex');
const allNodesMac = Buffer.from('333300000001', 'hex');

/** What a host solicits a router for: an answer at once, even where there is nothing to route to. */
function advertise(network: Network, hosts: Hosts): Buffer {
  const managed = network.ipv6?.managed ?? false;
  const { serverMac: mac, serverIpv6 } = hosts;
  if (serverIpv6 === undefined) {
    return routerAdvertisement({ mac, managed: false, otherConfig: false, lifetimeSeconds: 0 });
  }
  const prefix = { address: serverIpv6, autonomous: !managed };
  return routerAdvertisement({ mac, managed, otherConfig: true, lifetimeSeconds: routerLifetimeSeconds, prefix });
}

/**
 * The host at the server's end of the link: answers ARP, echo, neighbour and router solicitations for
 * its own addresses, and carries UDP. `transmit` must be done with the frame when it returns.
 */
export function createStack(network: Network, transmit: (frame: Buffer) => void, malformed: MalformedLog): Stack {
  const hosts = hostsOf(network);
  const advertisement = advertise(network, hosts);
  const udp = createUdpPorts(hosts, transmit, malformed);
  const scratch = Buffer.allocUnsafeSlow(ethernetHeaderBytes + mtuBytes);

  function receiveArp({ frame, arp }: ArpPacket): void {
    if (arp.op !== 'request' || arp.targetIp !== hosts.serverIp) return;
    const asker = macAt(frame, arp.senderMacAt);
    writeEthernet(scratch, asker, hosts.serverMac, etherTypes.arp);
    const end = writeArp(scratch, {
      op: 'reply',
      senderMac: hosts.serverMac,
      senderIp: hosts.serverIp,
      targetMac: asker,
      targetIp: arp.senderIp,
    });
    transmit(scratch.subarray(0, end));
  }

  function isForIpv4(frame: Buffer, ip: IpView): boolean {
    const destination = frame.readUInt32BE(ip.destinationAt);
    return (
      destination === hosts.serverIp || destination === limitedBroadcast || destination === hosts.directedBroadcast
    );
  }

  function isForIpv6(frame: Buffer, ip: IpView): boolean {
    const isGroup = frame[ip.destinationAt] === 0xff;
    return isGroup || ownAddressAt(frame, ip.destinationAt) !== undefined;
  }

  function ownAddressAt(frame: Buffer, at: number): Buffer | undefined {
    return hosts.serverIpv6Addresses.find((address) => equalsAt(frame, at, address));
  }

  function receiveIcmp({ frame, ip, icmp }: IcmpPacket): void {
    const length = ip.payloadEnd - ip.payloadStart;
    // Echo requests to a broadcast address may stay unanswered (RFC 1122 §3.2.2.6).
    const isOurs = frame.readUInt32BE(ip.destinationAt) === hosts.serverIp;
    if (icmp.type !== icmpTypes.echoRequest || !isOurs || length > mtuBytes - ipv4HeaderBytes) return;
    const start = writeEthernet(scratch, macAt(frame, ethernet.sourceAt), hosts.serverMac, etherTypes.ipv4);
    const guestIp = frame.readUInt32BE(ip.sourceAt);
    const reply = writeIpv4(scratch, start, hosts.serverIp, guestIp, protocols.icmp, length);
    writeEchoReply(scratch, reply, frame.subarray(ip.payloadStart, ip.payloadEnd));
    transmit(scratch.subarray(0, reply.payloadEnd));
  }

  /** Answers the sender, or all nodes where it has no address yet. */
  function sendIcmpv6(to: Icmpv6Packet, source: Buffer, type: number, body: Buffer, hopLimit: number): void {
    const sender = to.frame.subarray(to.ip.sourceAt, to.ip.sourceAt + ipv6Bytes);
    const isUnspecified = sender.every((octet) => octet === 0);
    const mac = isUnspecified ? allNodesMac : macAt(to.frame, ethernet.sourceAt);
    const start = writeEthernet(scratch, mac, hosts.serverMac, etherTypes.ipv6);
    const destination = isUnspecified ? allNodes : sender;
    const ip = writeIpv6(scratch, start, source, destination, protocols.icmpv6, 4 + body.length, hopLimit);
    writeIcmpv6(scratch, ip, type, body);
    transmit(scratch.subarray(0, ip.payloadEnd));
  }

  function receiveNeighborSolicitation(packet: Icmpv6Packet, targetAt: number): void {
    const target = ownAddressAt(packet.frame, targetAt);
    if (target === undefined) return;
    const isProbe = packet.frame.readUInt32BE(packet.ip.sourceAt) === 0;
    const body = neighborAdvertisement(target, hosts.serverMac, {
      solicited: !isProbe,
      router: hosts.serverIpv6 !== undefined,
    });
    sendIcmpv6(packet, target, icmpv6Types.neighborAdvertisement, body, neighborHopLimit);
  }

  function receiveIcmpv6(packet: Icmpv6Packet): void {
    const { frame, ip, icmpv6 } = packet;
    if (icmpv6.type === icmpv6Types.neighborSolicitation && icmpv6.targetAt !== undefined) {
      receiveNeighborSolicitation(packet, icmpv6.targetAt);
    } else if (icmpv6.type === icmpv6Types.routerSolicitation) {
      const type = icmpv6Types.routerAdvertisement;
      sendIcmpv6(packet, hosts.serverLinkLocal, type, advertisement, neighborHopLimit);
    } else if (icmpv6.type === icmpv6Types.echoRequest) {
      const source = ownAddressAt(frame, ip.destinationAt);
      const body = frame.subarray(ip.payloadStart + 4, ip.payloadEnd);
      if (source !== undefined && 4 + body.length <= mtuBytes - ipv6HeaderBytes) {
        sendIcmpv6(packet, source, icmpv6Types.echoReply, body, 64);
      }
    }
  }

  return {
    udp,
    receive(packet) {
      if (!isFor(packet.frame, hosts.serverMac)) return false;
      if (packet.kind === 'udp') {
        const isOurs = packet.ip.version === 4 ? isForIpv4 : isForIpv6;
        return isOurs(packet.frame, packet.ip) && udp.receive(packet);
      }
      if (packet.kind === 'arp') receiveArp(packet);
      else if (packet.kind === 'icmp') receiveIcmp(packet);
      else if (packet.kind === 'icmpv6') receiveIcmpv6(packet);
      return false;
    },
    close: udp.closeAll,
  };
}

/** A view of a MAC inside a frame, good for as long as the frame is. */
function macAt(frame: Buffer, at: number): Buffer {
  return frame.subarray(at, at + macBytes);
}
