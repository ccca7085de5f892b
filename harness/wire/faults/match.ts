import { tableBounds } from '../../model/bounds.ts';
import { nameOfTarget } from '../../model/deliveries.ts';
import { globMatches } from '../../model/glob.ts';
import { nameOf } from '../../model/served-name.ts';
import type { WireFault } from '../../model/wire-faults.ts';
import { dissect, type TcpPacket, type UdpPacket } from '../codecs/packet.ts';
import { tcpFlags } from '../codecs/tcp.ts';
import { opcodeOf, opcodes, parseTftp, tftpPort } from '../codecs/tftp.ts';
import { parseRequestHead } from '../sniff/http-head.ts';
import type { Direction } from './faults.ts';
import { type FrameMessage, messageOf } from './message.ts';

/** A frame that a fault picks. */
export interface Matched {
  readonly direction: Direction;
  /** The file that it belongs to, where the fault asks for a name. */
  readonly file?: string | undefined;
}

/** The files that a guest's ports have asked for, by the last request of each. */
function createFilesOfPorts() {
  const files = new Map<string, string>();

  function asked(flow: string, file: string | undefined): void {
    files.delete(flow);
    const [oldest] = files.size >= tableBounds.namedFlows ? files.keys() : [];
    if (oldest !== undefined) files.delete(oldest);
    if (file !== undefined) files.set(flow, file);
  }

  function readTftp(flow: string, { frame, udp }: UdpPacket): void {
    const payload = frame.subarray(udp.payloadStart, udp.payloadEnd);
    const opcode = opcodeOf(payload);
    if (udp.destinationPort !== tftpPort || (opcode !== opcodes.rrq && opcode !== opcodes.wrq)) return;
    const request = parseTftp(payload);
    asked(flow, request.kind === 'rrq' || request.kind === 'wrq' ? nameOf(request.file) : undefined);
  }

  /** A segment that begins with a method begins a request; its line may be too long for one segment. */
  function readHttp(flow: string, { frame, tcp }: TcpPacket): void {
    if ((tcp.flags & tcpFlags.syn) !== 0) asked(flow, undefined);
    const text = frame.toString('latin1', tcp.payloadStart, tcp.payloadEnd);
    if (!/^[A-Z]+ /.test(text)) return;
    const [line = '', ...rest] = text.split('\r\n', 2);
    const head = rest.length > 0 ? parseRequestHead(line) : undefined;
    asked(flow, head && nameOfTarget(head.target));
  }

  /** The file of a frame's transfer or connection; undefined where it is not known. */
  return (frame: Buffer, direction: Direction): string | undefined => {
    const packet = dissect(frame, false);
    if (packet.malformed || (packet.kind !== 'udp' && packet.kind !== 'tcp')) return undefined;
    const { sourcePort, destinationPort } = packet.kind === 'udp' ? packet.udp : packet.tcp;
    const isFromGuest = direction === 'from-guest';
    const flow = `${packet.kind} ${packet.ip.version} ${isFromGuest ? sourcePort : destinationPort}`;
    if (isFromGuest && packet.kind === 'udp') readTftp(flow, packet);
    if (isFromGuest && packet.kind === 'tcp') readHttp(flow, packet);
    return files.get(flow);
  };
}

const matchesMessage = ({ match: { protocol, message, port } }: WireFault, frame: FrameMessage): boolean =>
  (protocol === undefined || protocol === frame.protocol) &&
  (message === undefined || message === frame.message) &&
  (port === undefined || frame.ports.includes(port));

/**
 * Which frames a fault is about. Every frame that reaches it must be passed, whether the fault is in force or not: a file
 * may have been asked for earlier.
 */
export function createMatcher(
  fault: WireFault,
  isInForce: () => boolean,
): (frame: Buffer, direction: Direction) => Matched | undefined {
  const { name } = fault.match;
  const fileOf = name === undefined ? undefined : createFilesOfPorts();
  return (frame, direction) => {
    const file = fileOf?.(frame, direction);
    if ((fault.on ?? direction) !== direction || !isInForce()) return undefined;
    if (name !== undefined && (file === undefined || !globMatches(name, file))) return undefined;
    return matchesMessage(fault, messageOf(frame)) ? { direction, file } : undefined;
  };
}
