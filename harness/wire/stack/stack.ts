import { HarnessError } from '../../model/errors.ts';
import type { Network } from '../../model/plan.ts';
import { equalsAt, parseIpv4Address, parseIpv6Address } from '../codecs/addresses.ts';
import { isFor } from '../codecs/ethernet.ts';
import type { IpView } from '../codecs/ip.ts';
import type { MalformedLog } from '../codecs/malformed.ts';
import type { Packet, UdpPacket } from '../codecs/packet.ts';
import { createIpv4Answers } from './ipv4-answers.ts';
import { createIpv6Answers } from './ipv6-answers.ts';
import { type ServerAddresses, serverAddressesOf } from './server-addresses.ts';
import type { UdpEndpoint } from './udp-endpoint.ts';
import { createUdpPorts, type UdpPorts } from './udp-ports.ts';

export interface Stack {
  readonly udp: UdpEndpoint;
  /** At an address of a server elsewhere, for which the harness stands in. */
  udpAt(ip: string): UdpEndpoint;
  /** One dissected frame from the guest; true if it is a datagram for a service. The stack takes no TCP. */
  receive(packet: Packet): boolean;
  /** From now on another host answers for this address: ARP, or neighbour solicitations. `probed` is called once, when it first has. */
  occupy(ip: string, probed?: () => void): void;
  close(): void;
}

const limitedBroadcast = 0xffff_ffff;

/**
 * The host at the server's end of the link: answers ARP, echo, neighbour and router solicitations for
 * its own addresses, and carries UDP. `transmit` must be done with the frame when it returns.
 */
export function createStack(network: Network, transmit: (frame: Buffer) => void, malformed: MalformedLog): Stack {
  const addresses = serverAddressesOf(network);
  const ipv4 = createIpv4Answers(addresses, transmit);
  const ipv6 = createIpv6Answers(network, addresses, transmit);
  const udp = createUdpPorts(addresses, transmit, malformed);
  const forwarded = new Map<number | undefined, UdpPorts>();
  for (const serverIp of addresses.forwardedIps) {
    forwarded.set(serverIp, createUdpPorts({ ...addresses, serverIp }, transmit, malformed));
  }

  function portsOf({ frame, ip }: UdpPacket): UdpPorts | undefined {
    if (ip.version === 4 && forwarded.size > 0) {
      const ports = forwarded.get(frame.readUInt32BE(ip.destinationAt));
      if (ports !== undefined) return ports;
    }
    return isForServer(frame, ip, addresses) ? udp : undefined;
  }

  return {
    udp,
    udpAt(ip) {
      const ports = forwarded.get(parseIpv4Address(ip));
      if (ports === undefined) throw new HarnessError('internal', `the harness does not stand in for ${ip}`);
      return ports;
    },
    receive(packet) {
      if (!isFor(packet.frame, addresses.serverMac)) return false;
      if (packet.kind === 'udp') return portsOf(packet)?.receive(packet) ?? false;
      if (packet.kind === 'arp') ipv4.arp(packet);
      else if (packet.kind === 'icmp') ipv4.icmp(packet);
      else if (packet.kind === 'icmpv6') ipv6.icmpv6(packet);
      return false;
    },
    occupy(ip, probed) {
      const address = parseIpv4Address(ip);
      if (address !== undefined) ipv4.occupy(address, probed);
      const address6 = parseIpv6Address(ip);
      if (address6) ipv6.occupy(address6, probed);
    },
    close() {
      for (const ports of [udp, ...forwarded.values()]) ports.closeAll();
    },
  };
}

/** To one of the server's addresses, or to a group or broadcast address. */
function isForServer(frame: Buffer, ip: IpView, addresses: ServerAddresses): boolean {
  if (ip.version === 4) {
    const destination = frame.readUInt32BE(ip.destinationAt);
    const { serverIp, directedBroadcast } = addresses;
    return destination === serverIp || destination === limitedBroadcast || destination === directedBroadcast;
  }
  const isGroup = frame[ip.destinationAt] === 0xff;
  return isGroup || addresses.serverIpv6Addresses.some((address) => equalsAt(frame, ip.destinationAt, address));
}
