import type { FaultProtocol } from '../../model/wire-faults.ts';
import { dhcpPorts, parseDhcp } from '../codecs/dhcp.ts';
import { dhcp6MessageTypes, dhcp6Ports } from '../codecs/dhcp6.ts';
import { icmpv6Names } from '../codecs/icmpv6.ts';
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

const tftpMessages = new Map<number, string>(Object.entries(opcodes).map(([name, code]) => [code, name]));
const nothing: FrameMessage = { protocol: undefined, message: undefined, ports: [], payloadAt: 34 };

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
    checksumAt: payloadAt - 2,
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
      return { ...nothing, protocol: 'icmpv6', message: icmpv6Names.get(packet.icmpv6.type) };
    default:
      return nothing;
  }
}

export function messageOf(frame: Buffer): FrameMessage {
  const packet = dissect(frame, false);
  return packet.malformed ? nothing : ofPacket(packet);
}
