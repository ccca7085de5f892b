import type { FaultProtocol } from '../../model/faults.ts';
import { parseDhcp } from '../codecs/dhcp.ts';
import { dhcp6MessageTypes } from '../codecs/dhcp6.ts';
import { icmpv6Types } from '../codecs/icmpv6.ts';
import { dissect, type Packet, type TcpPacket, type UdpPacket } from '../codecs/packet.ts';
import { tcpFlags } from '../codecs/tcp.ts';
import { opcodeOf, opcodes } from '../codecs/tftp.ts';

/** What a frame is, as faults pick it. */
export interface FrameMessage {
  readonly protocol: FaultProtocol | undefined;
  readonly message: string | undefined;
  readonly ports: readonly number[];
  /** Where the payload of UDP or TCP begins; past the headers otherwise. */
  readonly payloadAt: number;
  /** Where the checksum over the payload is, if it has one. */
  readonly checksumAt?: number;
}

const dhcpPorts: readonly number[] = [67, 68, 4011];
const dhcp6Ports: readonly number[] = [546, 547];
const tftpMessages = new Map<number, string>(Object.entries(opcodes).map(([name, code]) => [code, name]));
const icmpv6Messages = new Map<number, string>(
  Object.entries(icmpv6Types).map(([name, type]) => [
    type,
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  ]),
);

const nothing: FrameMessage = { protocol: undefined, message: undefined, ports: [], payloadAt: 34 };

function ofUdp({ frame, udp }: UdpPacket): FrameMessage {
  const { sourcePort, destinationPort, payloadStart: payloadAt, payloadEnd } = udp;
  const ports = [sourcePort, destinationPort];
  const checksumAt = payloadAt - 2;
  const payload = frame.subarray(payloadAt, payloadEnd);
  const isOn = (some: readonly number[]) => ports.some((port) => some.includes(port));
  if (isOn(dhcpPorts)) {
    const parsed = parseDhcp(Buffer.from(payload));
    return {
      protocol: 'dhcp',
      message: 'message' in parsed ? parsed.message.messageType : undefined,
      ports,
      payloadAt,
      checksumAt,
    };
  }
  if (isOn(dhcp6Ports)) {
    return { protocol: 'dhcp6', message: dhcp6MessageTypes[(payload[0] ?? 0) - 1], ports, payloadAt, checksumAt };
  }
  // Every other datagram on this network is of TFTP, whose transfers have ports of their own.
  const message = payload.length < 2 ? undefined : tftpMessages.get(opcodeOf(payload));
  return { protocol: 'tftp', message, ports, payloadAt, checksumAt };
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
    checksumAt: ip.payloadStart + 16,
  };
}

function ofPacket(packet: Packet): FrameMessage {
  switch (packet.kind) {
    case 'udp':
      return ofUdp(packet);
    case 'tcp':
      return ofTcp(packet);
    case 'arp':
      return { ...nothing, protocol: 'arp', message: packet.arp.op };
    case 'icmp':
      return { ...nothing, protocol: 'icmp' };
    case 'icmpv6':
      return { ...nothing, protocol: 'icmpv6', message: icmpv6Messages.get(packet.icmpv6.type) };
    default:
      return nothing;
  }
}

export function messageOf(frame: Buffer): FrameMessage {
  const packet = dissect(frame, false);
  return packet.malformed ? nothing : ofPacket(packet);
}
