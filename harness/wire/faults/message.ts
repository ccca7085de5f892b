import type { FaultProtocol } from '../../model/wire-faults.ts';
import { arpBytes } from '../codecs/arp.ts';
import { dhcpPorts, parseDhcp } from '../codecs/dhcp.ts';
import { dhcp6MessageTypes, dhcp6Ports } from '../codecs/dhcp6.ts';
import { ethernet, ethernetHeaderBytes, etherTypes } from '../codecs/ethernet.ts';
import { icmpv6Names } from '../codecs/icmpv6.ts';
import type { IpView } from '../codecs/ip.ts';
import { parseIpv4 } from '../codecs/ipv4.ts';
import { parseIpv6 } from '../codecs/ipv6.ts';
import type { Malformed } from '../codecs/malformed.ts';
import { dissect, type Packet, type TcpPacket, type UdpPacket } from '../codecs/packet.ts';
import { tcpFlags } from '../codecs/tcp.ts';
import { opcodeOf, opcodes } from '../codecs/tftp.ts';

/** What a frame is, as faults pick it. */
export interface FrameMessage {
  readonly protocol: FaultProtocol | undefined;
  readonly message: string | undefined;
  readonly ports: readonly number[];
  /**
   * What the innermost header that is known here carries, without the padding that follows it: of UDP, TCP, ICMP (past the
   * checksum), ARP (its body) or IP.
   */
  readonly payloadAt: number;
  readonly payloadEnd: number;
  /** The checksum over the payload, if there is one; where it is optional, 0 is none (RFC 768). */
  readonly checksum?: { readonly at: number; readonly isOptional?: boolean };
}

const tftpMessages = new Map<number, string>(Object.entries(opcodes).map(([name, code]) => [code, name]));
const unnamed = { protocol: undefined, message: undefined, ports: [] } as const;

function dhcpMessage(payload: Buffer): string | undefined {
  const parsed = parseDhcp(payload);
  return 'message' in parsed ? parsed.message.messageType : undefined;
}

/** Every datagram of another port is of TFTP, whose transfers have ports of their own. */
function applicationOf(ports: readonly number[], payload: Buffer): Pick<FrameMessage, 'protocol' | 'message'> {
  const isOn = (some: ReadonlySet<number>): boolean => ports.some((port) => some.has(port));
  if (isOn(dhcpPorts)) return { protocol: 'dhcp', message: dhcpMessage(payload) };
  if (isOn(dhcp6Ports)) return { protocol: 'dhcp6', message: dhcp6MessageTypes[(payload[0] ?? 0) - 1] };
  return { protocol: 'tftp', message: payload.length < 2 ? undefined : tftpMessages.get(opcodeOf(payload)) };
}

function ofUdp({ frame, udp }: UdpPacket): FrameMessage {
  const { sourcePort, destinationPort, payloadStart: payloadAt, payloadEnd } = udp;
  const ports = [sourcePort, destinationPort];
  return {
    ...applicationOf(ports, frame.subarray(payloadAt, payloadEnd)),
    ports,
    payloadAt,
    payloadEnd,
    checksum: { at: payloadAt - 2, isOptional: true },
  };
}

function ofTcp({ ip, tcp }: TcpPacket): FrameMessage {
  const { sourcePort, destinationPort, flags, payloadStart: payloadAt, payloadEnd } = tcp;
  const has = (flag: keyof typeof tcpFlags): boolean => (flags & tcpFlags[flag]) !== 0;
  const named = (['syn', 'fin', 'rst'] as const).find(has);
  const message = named ?? (payloadEnd > payloadAt ? 'data' : undefined);
  return {
    protocol: 'tcp',
    message,
    ports: [sourcePort, destinationPort],
    payloadAt,
    payloadEnd,
    checksum: { at: ip.payloadStart + 16 },
  };
}

/** Type and code, then the checksum, then what it is about (RFC 792, RFC 4443 §2.1). */
const ofIcmp = ({ payloadStart, payloadEnd }: IpView) => ({
  payloadAt: payloadStart + 4,
  payloadEnd,
  checksum: { at: payloadStart + 2 },
});

function parsedIp(frame: Buffer): IpView | Malformed | undefined {
  const type = frame.readUInt16BE(ethernet.typeAt);
  if (type === etherTypes.ipv4) return parseIpv4(frame, ethernetHeaderBytes);
  return type === etherTypes.ipv6 ? parseIpv6(frame, ethernetHeaderBytes) : undefined;
}

/** Of a frame that says nothing to a fault. */
function ofOther(frame: Buffer): FrameMessage {
  const ip = parsedIp(frame);
  if (ip === undefined || ip.malformed) return { ...unnamed, payloadAt: ethernetHeaderBytes, payloadEnd: frame.length };
  return { ...unnamed, payloadAt: ip.payloadStart, payloadEnd: ip.payloadEnd };
}

function ofPacket(packet: Packet): FrameMessage {
  switch (packet.kind) {
    case 'udp':
      return ofUdp(packet);
    case 'tcp':
      return ofTcp(packet);
    case 'arp': {
      const body = { payloadAt: ethernetHeaderBytes, payloadEnd: ethernetHeaderBytes + arpBytes };
      return { ...unnamed, protocol: 'arp', message: packet.arp.op, ...body };
    }
    case 'icmp':
      return { ...unnamed, protocol: 'icmp', ...ofIcmp(packet.ip) };
    case 'icmpv6': {
      const message = icmpv6Names.get(packet.icmpv6.type);
      return { ...unnamed, protocol: 'icmpv6', message, ...ofIcmp(packet.ip) };
    }
    default:
      return ofOther(packet.frame);
  }
}

/** Of a frame of at least 14 bytes. */
export function messageOf(frame: Buffer): FrameMessage {
  const packet = dissect(frame, false);
  return packet.malformed ? ofOther(frame) : ofPacket(packet);
}
