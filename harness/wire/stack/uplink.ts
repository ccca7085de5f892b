import { tableBounds } from '../../model/bounds.ts';
import type { Network } from '../../model/plan.ts';
import {
  equalsAt,
  formatIpv4Address,
  formatIpv6Address,
  ipv6Bytes,
  macBytes,
  parseIpv4Address,
} from '../codecs/addresses.ts';
import { writeArp } from '../codecs/arp.ts';
import { adjustChecksum } from '../codecs/checksum.ts';
import { ethernet, ethernetHeaderBytes, etherTypes, isFor, writeEthernet } from '../codecs/ethernet.ts';
import { icmpv6Types, neighborAdvertisement, writeIcmpv6 } from '../codecs/icmpv6.ts';
import { type IpView, protocols } from '../codecs/ip.ts';
import { writeIpv6 } from '../codecs/ipv6.ts';
import type { MalformedLog } from '../codecs/malformed.ts';
import { type ArpPacket, dissect, type Icmpv6Packet, type TcpPacket } from '../codecs/packet.ts';
import { tcpFlags } from '../codecs/tcp.ts';
import type { Guard } from '../guard.ts';
import type { Link } from './link.ts';
import { type ServerAddresses, serverAddressesOf } from './server-addresses.ts';
import { writeReset } from './tcp-reset.ts';

/** A port of a server elsewhere, and the loopback port of the host that stands in for it. */
export interface TcpForward {
  readonly address: string;
  readonly port: number;
  readonly hostPort: number;
}

export interface UplinkOptions {
  readonly network: Network;
  readonly nic: Link;
  readonly uplink: Link | undefined;
  readonly tcpTargets: ReadonlyMap<number, number> | undefined;
  readonly forwards?: readonly TcpForward[] | undefined;
  readonly toGuest: (frame: Buffer) => boolean;
  readonly malformed: MalformedLog;
  readonly guard: Guard;
  /** Called once for each address and port refused to the guest. */
  readonly refused: (address: string, port: number) => void;
}

export interface Uplink {
  /** One TCP segment from the guest: forwarded (true), or answered with RST. May change the frame. */
  fromGuest(packet: TcpPacket): boolean;
}

const checksumOffset = 16;
const ipv4ChecksumOffset = 10;

/** What a guest connects to; the address is the server's unless it is a forwarded one. */
interface Service {
  readonly address?: number;
  readonly port: number;
  readonly hostPort: number;
}

function servicesOf({ network, tcpTargets, forwards = [] }: UplinkOptions): Service[] {
  const own = network.tcp.map(({ port }) => ({ port, hostPort: tcpTargets?.get(port) ?? port }));
  const forwarded = forwards.map(({ address, port, hostPort }) => ({
    address: parseIpv4Address(address) as number,
    port,
    hostPort,
  }));
  return [...own, ...forwarded];
}

/**
 * The firewall between the guest and QEMU's user-mode stack: TCP to the server's address and a
 * listed port, or to a forwarded one, passes, rewritten to the server's and the port the host listens on; any other TCP is
 * refused at once. From the user-mode stack, only TCP from those ports reaches the guest.
 */
export function createUplink(options: UplinkOptions): Uplink {
  const { network, nic, uplink, toGuest, refused } = options;
  const addresses = serverAddressesOf(network);
  const services = servicesOf(options);
  const byHostPort = new Map(services.map((service) => [service.hostPort, service]));
  const refusals = new Set<string>();
  const scratch = Buffer.alloc(128);

  function isServer(frame: Buffer, ip: IpView, at: number): boolean {
    if (ip.version === 4) return frame.readUInt32BE(at) === addresses.serverIp;
    return addresses.serverIpv6 !== undefined && equalsAt(frame, at, addresses.serverIpv6);
  }

  function serviceFor({ frame, ip, tcp }: TcpPacket): Service | undefined {
    const isOwn = isServer(frame, ip, ip.destinationAt);
    const address = isOwn || ip.version === 6 ? undefined : frame.readUInt32BE(ip.destinationAt);
    if (!isOwn && address === undefined) return undefined;
    return services.find((one) => one.port === tcp.destinationPort && one.address === address);
  }

  function refuse(packet: TcpPacket): void {
    const { frame, ip, tcp } = packet;
    const reset = writeReset(scratch, packet, addresses.serverMac);
    if (reset === undefined) return;
    const at = ip.destinationAt;
    const address = ip.version === 4 ? formatIpv4Address(frame.readUInt32BE(at)) : formatIpv6Address(frame, at);
    const key = `${address} ${tcp.destinationPort}`;
    if (!refusals.has(key) && refusals.size < tableBounds.refusals) {
      refusals.add(key);
      refused(address, tcp.destinationPort);
    }
    toGuest(reset);
  }

  function fromGuest(packet: TcpPacket): boolean {
    const { frame, ip, tcp } = packet;
    if (!isFor(frame, addresses.serverMac)) return false;
    const service = serviceFor(packet);
    if (uplink === undefined || service === undefined) {
      refuse(packet);
      return false;
    }
    rewritePort(frame, tcp.start, 2, service.hostPort);
    if (service.address !== undefined) rewriteAddress(packet, ip.destinationAt, addresses.serverIp);
    if (!uplink.send([frame])) nic.pause();
    return true;
  }

  /** Readdresses a segment from a listed port of the server's address; false for any other. */
  function passesToGuest(packet: TcpPacket): boolean {
    const { frame, ip, tcp } = packet;
    const service = byHostPort.get(tcp.sourcePort);
    const isOpening = (tcp.flags & (tcpFlags.syn | tcpFlags.ack)) === tcpFlags.syn;
    if (service === undefined || isOpening || !isServer(frame, ip, ip.sourceAt)) return false;
    rewritePort(frame, tcp.start, 0, service.port);
    if (service.address !== undefined) rewriteAddress(packet, ip.sourceAt, service.address);
    addresses.guestMac.copy(frame, ethernet.destinationAt);
    addresses.serverMac.copy(frame, ethernet.sourceAt);
    return true;
  }

  if (uplink !== undefined) {
    const answer = createNeighbourAnswers(addresses, uplink, scratch);
    const receive = (frame: Buffer): void => {
      const packet = dissect(frame, false);
      if (packet.malformed) options.malformed('server', packet.malformed.layer, packet.malformed.reason);
      else if (packet.kind === 'arp') answer.arp(packet);
      else if (packet.kind === 'icmpv6') answer.icmpv6(packet);
      else if (packet.kind === 'tcp' && passesToGuest(packet) && !toGuest(frame)) uplink.pause();
    };
    uplink.onFrame(options.guard('the handling of a frame from the uplink', receive));
    nic.onDrain(() => uplink.resume());
    uplink.onDrain(() => nic.resume());
  }

  return { fromGuest };
}

/** Rewrites two bytes and adjusts the checksums that cover them. */
function rewriteWord(frame: Buffer, at: number, value: number, checksumsAt: readonly number[]): void {
  const old = frame.readUInt16BE(at);
  frame.writeUInt16BE(value, at);
  for (const checksumAt of checksumsAt) {
    frame.writeUInt16BE(adjustChecksum(frame.readUInt16BE(checksumAt), old, value), checksumAt);
  }
}

const rewritePort = (frame: Buffer, tcpStart: number, portOffset: 0 | 2, port: number): void =>
  rewriteWord(frame, tcpStart + portOffset, port, [tcpStart + checksumOffset]);

/** An IPv4 address is covered by IP's own checksum and, in the pseudo-header, by TCP's. */
function rewriteAddress({ frame, ip, tcp }: TcpPacket, at: number, address: number): void {
  const checksumsAt = [ip.headerStart + ipv4ChecksumOffset, tcp.start + checksumOffset];
  rewriteWord(frame, at, address >>> 16, checksumsAt);
  rewriteWord(frame, at + 2, address & 0xffff, checksumsAt);
}

/** Answers the user-mode stack's ARP and neighbour solicitations: any address but its own is the guest. */
function createNeighbourAnswers(addresses: ServerAddresses, uplink: Link, scratch: Buffer) {
  return {
    arp({ frame, arp }: ArpPacket): void {
      if (arp.op !== 'request' || arp.targetIp === addresses.serverIp) return;
      const asker = frame.subarray(arp.senderMacAt, arp.senderMacAt + macBytes);
      writeEthernet(scratch, asker, addresses.guestMac, etherTypes.arp);
      const end = writeArp(scratch, {
        op: 'reply',
        senderMac: addresses.guestMac,
        senderIp: arp.targetIp,
        targetMac: asker,
        targetIp: arp.senderIp,
      });
      uplink.send([scratch.subarray(0, end)]);
    },
    icmpv6({ frame, ip, icmpv6 }: Icmpv6Packet): void {
      if (icmpv6.type !== icmpv6Types.neighborSolicitation || icmpv6.targetAt === undefined) return;
      const target = frame.subarray(icmpv6.targetAt, icmpv6.targetAt + ipv6Bytes);
      const asker = frame.subarray(ip.sourceAt, ip.sourceAt + ipv6Bytes);
      const body = neighborAdvertisement(target, addresses.guestMac, { solicited: true, router: false });
      const askerMac = frame.subarray(ethernet.sourceAt, ethernet.sourceAt + macBytes);
      writeEthernet(scratch, askerMac, addresses.guestMac, etherTypes.ipv6);
      const reply = writeIpv6(scratch, ethernetHeaderBytes, {
        source: target,
        destination: asker,
        protocol: protocols.icmpv6,
        payloadBytes: 4 + body.length,
        hopLimit: 255,
      });
      writeIcmpv6(scratch, reply, icmpv6Types.neighborAdvertisement, body);
      uplink.send([scratch.subarray(0, reply.payloadEnd)]);
    },
  };
}
