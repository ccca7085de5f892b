import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import type { Network } from '../../model/plan.ts';
import { formatIpv4Address, formatIpv6Address } from '../codecs/addresses.ts';
import { dhcpPorts } from '../codecs/dhcp.ts';
import { dhcp6Ports } from '../codecs/dhcp6.ts';
import { icmpv6Names } from '../codecs/icmpv6.ts';
import type { IpView } from '../codecs/ip.ts';
import type { MalformedLog } from '../codecs/malformed.ts';
import type { ArpPacket, Icmpv6Packet, Packet, UdpPacket } from '../codecs/packet.ts';
import { sniffDhcp } from './dhcp.ts';
import { sniffDhcp6 } from './dhcp6.ts';
import { createHttpSniffer } from './http.ts';
import { createNfsSniffer } from './nfs.ts';
import { createTftpSniffer } from './tftp.ts';
import { createTlsSniffer } from './tls.ts';

type Side = 'guest' | 'server';

export interface Sniffer {
  /** One dissected frame of either direction. */
  packet(from: Side, packet: Packet): void;
}

interface SnifferOptions {
  readonly network: Pick<Network, 'tcp' | 'provisioner'>;
  readonly now: () => number;
  readonly emit: EventSink;
  readonly malformed: MalformedLog;
}

const httpPort = 80;

/** The same ARP or ICMPv6 fact is reported again only after this long. */
const repeatAfterMs = 1000;

/** Turns frames into events, whichever server they come from. */
export function createSniffer({ network, now, emit, malformed }: SnifferOptions): Sniffer {
  const isNews = createRepeatFilter(now);
  const portsOf = (...services: string[]) =>
    new Set(network.tcp.filter(({ service }) => services.includes(service)).map(({ port }) => port));
  const httpPorts = portsOf('http');
  if (network.provisioner?.serves.includes('http')) httpPorts.add(httpPort);
  for (const { service, port } of network.provisioner?.relay?.forward ?? [])
    if (service === 'http') httpPorts.add(port);
  const tlsPorts = portsOf('https');
  const http = createHttpSniffer({ now, emit, malformed });
  const tls = createTlsSniffer(emit);
  const nfsPorts = portsOf('nfs');
  const nfs = createNfsSniffer({ now, emit });

  /** Decoders of other layers report malformed messages as events; they are counted with the rest. */
  const emitCounted: EventSink = (event) => {
    if (event.type === 'malformed') malformed(event.from, event.layer, event.reason);
    else emit(event);
  };
  const tftp = createTftpSniffer(now, emitCounted);

  function arp(from: Side, { arp: { op, senderIp, targetIp } }: ArpPacket): void {
    if (!isNews(`arp ${from} ${op} ${senderIp} ${targetIp}`)) return;
    const ips = { senderIp: formatIpv4Address(senderIp), targetIp: formatIpv4Address(targetIp) };
    emit({ source: 'wire', type: 'arp', from, op, ...ips });
  }

  function icmpv6(from: Side, { frame, icmpv6: { type, targetAt } }: Icmpv6Packet): void {
    const kind = icmpv6Names.get(type) ?? `type-${type}`;
    const target = targetAt === undefined ? {} : { target: formatIpv6Address(frame, targetAt) };
    if (!isNews(`icmpv6 ${from} ${kind} ${target.target}`)) return;
    emit({ source: 'wire', type: 'icmpv6', from, kind, ...target });
  }

  function udp(from: Side, { frame, ip, udp: { sourcePort, destinationPort, payloadStart, payloadEnd } }: UdpPacket) {
    const payload = frame.subarray(payloadStart, payloadEnd);
    const [guestPort, serverPort] = from === 'guest' ? [sourcePort, destinationPort] : [destinationPort, sourcePort];
    if (dhcpPorts.has(serverPort)) emitCounted(sniffDhcp(payload, destinationPort, from, addressesOf(frame, ip)));
    else if (dhcp6Ports.has(serverPort)) emitCounted(sniffDhcp6(payload, from));
    else tftp.datagram({ from, guestPort, serverPort, ipVersion: ip.version, payload });
  }

  return {
    packet(from, packet) {
      if (packet.kind === 'udp') udp(from, packet);
      else if (packet.kind === 'arp') arp(from, packet);
      else if (packet.kind === 'icmpv6') icmpv6(from, packet);
      else if (packet.kind === 'tcp') {
        const serverPort = from === 'guest' ? packet.tcp.destinationPort : packet.tcp.sourcePort;
        if (httpPorts.has(serverPort)) http.segment(from, packet);
        else if (tlsPorts.has(serverPort)) tls.segment(from, packet);
        else if (nfsPorts.has(serverPort)) nfs.segment(from, packet);
      }
    },
  };
}

const addressesOf = (frame: Buffer, { version, sourceAt, destinationAt }: IpView) =>
  version === 6
    ? {}
    : {
        senderIp: formatIpv4Address(frame.readUInt32BE(sourceAt)),
        targetIp: formatIpv4Address(frame.readUInt32BE(destinationAt)),
      };

/** True for a fact that is new or was last reported a while ago; a flood of new facts is ignored past a bound. */
function createRepeatFilter(now: () => number): (fact: string) => boolean {
  const reportedAtMs = new Map<string, number>();
  return (fact) => {
    const last = reportedAtMs.get(fact);
    const tMs = now();
    if (last === undefined ? reportedAtMs.size >= tableBounds.facts : tMs - last < repeatAfterMs) return false;
    reportedAtMs.set(fact, tMs);
    return true;
  };
}
