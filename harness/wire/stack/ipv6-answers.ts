import type { Network } from '../../model/plan.ts';
import { equalsAt, ipv6Bytes, macAt } from '../codecs/addresses.ts';
import { ethernet, ethernetHeaderBytes, etherTypes, mtuBytes, writeEthernet } from '../codecs/ethernet.ts';
import { icmpv6Types, neighborAdvertisement, routerAdvertisement, writeIcmpv6 } from '../codecs/icmpv6.ts';
import { protocols } from '../codecs/ip.ts';
import { ipv6HeaderBytes, writeIpv6 } from '../codecs/ipv6.ts';
import type { Icmpv6Packet } from '../codecs/packet.ts';
import { otherMac, type ServerAddresses } from './server-addresses.ts';

const neighborHopLimit = 255;
const echoHopLimit = 64;
const routerLifetimeSeconds = 1800;
const typeAndChecksumBytes = 4;
const allNodes = Buffer.from('ff020000000000000000000000000001', 'hex');
const allNodesMac = Buffer.from('333300000001', 'hex');

/**
 * The reply to a router solicitation: immediate, even without an IPv6 network, so that no guest waits for one; none where
 * the user's server advertises.
 */
function advertisementOf(network: Network, { serverMac: mac, serverIpv6 }: ServerAddresses): Buffer | undefined {
  if (network.provisioner?.serves.includes('router-advertisements')) return undefined;
  const managed = network.ipv6?.managed ?? false;
  if (serverIpv6 === undefined) {
    return routerAdvertisement({ mac, managed: false, otherConfig: false, lifetimeSeconds: 0 });
  }
  const prefix = { address: serverIpv6, autonomous: !managed };
  return routerAdvertisement({ mac, managed, otherConfig: true, lifetimeSeconds: routerLifetimeSeconds, prefix });
}

/** An ICMPv6 message, and the server address that it is sent from. */
interface Answer {
  readonly source: Buffer;
  /** The server's by default. */
  readonly mac?: Buffer;
  readonly type: number;
  readonly body: Buffer;
  readonly hopLimit: number;
}

/**
 * Neighbour and router solicitations (RFC 4861) and echo for the server's IPv6 addresses. `transmit` must be done with the
 * frame when it returns.
 */
export function createIpv6Answers(
  network: Network,
  addresses: ServerAddresses,
  transmit: (frame: Buffer) => void,
): { icmpv6(packet: Icmpv6Packet): void; occupy(address: Buffer, probed?: () => void): void } {
  const { serverMac } = addresses;
  const advertisement = advertisementOf(network, addresses);
  const scratch = Buffer.allocUnsafeSlow(ethernetHeaderBytes + mtuBytes);

  /** Addresses that another host answers for, and whom its first answer is told to. */
  const occupied: { readonly address: Buffer; probed: (() => void) | undefined }[] = [];

  const ownAddressAt = (frame: Buffer, at: number): Buffer | undefined =>
    addresses.serverIpv6Addresses.find((address) => equalsAt(frame, at, address));

  /** Answers the sender, or all nodes if it has no address yet. */
  function answer(
    { frame, ip }: Icmpv6Packet,
    { source, type, body, hopLimit, mac: senderMac = serverMac }: Answer,
  ): void {
    const sender = frame.subarray(ip.sourceAt, ip.sourceAt + ipv6Bytes);
    const isUnspecified = sender.every((byte) => byte === 0);
    const mac = isUnspecified ? allNodesMac : macAt(frame, ethernet.sourceAt);
    const start = writeEthernet(scratch, mac, senderMac, etherTypes.ipv6);
    const destination = isUnspecified ? allNodes : sender;
    const payloadBytes = typeAndChecksumBytes + body.length;
    const header = { source, destination, protocol: protocols.icmpv6, payloadBytes, hopLimit };
    const reply = writeIpv6(scratch, start, header);
    writeIcmpv6(scratch, reply, type, body);
    transmit(scratch.subarray(0, reply.payloadEnd));
  }

  function answerNeighbor(packet: Icmpv6Packet, targetAt: number): void {
    const own = ownAddressAt(packet.frame, targetAt);
    const other = own ? undefined : occupied.find(({ address }) => equalsAt(packet.frame, targetAt, address));
    const target = own ?? other?.address;
    if (target === undefined) return;
    const mac = own === undefined ? otherMac : serverMac;
    const isProbe = packet.frame.readUInt32BE(packet.ip.sourceAt) === 0;
    const flags = { solicited: !isProbe, router: own !== undefined && addresses.serverIpv6 !== undefined };
    const body = neighborAdvertisement(target, mac, flags);
    const type = icmpv6Types.neighborAdvertisement;
    answer(packet, { source: target, mac, type, body, hopLimit: neighborHopLimit });
    other?.probed?.();
    if (other) other.probed = undefined;
  }

  function answerEcho(packet: Icmpv6Packet): void {
    const { frame, ip } = packet;
    const source = ownAddressAt(frame, ip.destinationAt);
    const body = frame.subarray(ip.payloadStart + typeAndChecksumBytes, ip.payloadEnd);
    if (source === undefined || typeAndChecksumBytes + body.length > mtuBytes - ipv6HeaderBytes) return;
    answer(packet, { source, type: icmpv6Types.echoReply, body, hopLimit: echoHopLimit });
  }

  return {
    occupy(address, probed) {
      if (!occupied.some((other) => other.address.equals(address))) occupied.push({ address, probed });
    },
    icmpv6(packet) {
      const { type, targetAt } = packet.icmpv6;
      if (type === icmpv6Types.neighborSolicitation && targetAt !== undefined) answerNeighbor(packet, targetAt);
      else if (type === icmpv6Types.echoRequest) answerEcho(packet);
      else if (type === icmpv6Types.routerSolicitation && advertisement !== undefined) {
        const source = addresses.serverLinkLocal;
        const body = advertisement;
        answer(packet, { source, type: icmpv6Types.routerAdvertisement, body, hopLimit: neighborHopLimit });
      }
    },
  };
}
