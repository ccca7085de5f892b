import { ipv6Bytes, macBytes } from '../codecs/addresses.ts';
import { ethernet, etherTypes, writeEthernet } from '../codecs/ethernet.ts';
import { protocols } from '../codecs/ip.ts';
import { writeIpv4 } from '../codecs/ipv4.ts';
import { writeIpv6 } from '../codecs/ipv6.ts';
import type { TcpPacket } from '../codecs/packet.ts';
import { tcpFlags, tcpHeaderBytes, writeTcp } from '../codecs/tcp.ts';

const hopLimit = 64;

/**
 * Writes the reset that a closed port answers a segment with (RFC 9293 §3.5.2, group 1) and returns
 * its frame; undefined if none may be sent: to a reset, or to a segment for a group or broadcast.
 */
export function writeReset(scratch: Buffer, { frame, ip, tcp }: TcpPacket, serverMac: Buffer): Buffer | undefined {
  const isGroup = ip.version === 4 ? (frame[ip.destinationAt] as number) >= 224 : frame[ip.destinationAt] === 0xff;
  const isGroupFrame = ((frame[ethernet.destinationAt] as number) & 1) === 1;
  if ((tcp.flags & tcpFlags.rst) !== 0 || isGroup || isGroupFrame) return undefined;
  const guestMac = frame.subarray(ethernet.sourceAt, ethernet.sourceAt + macBytes);
  const etherType = ip.version === 4 ? etherTypes.ipv4 : etherTypes.ipv6;
  const start = writeEthernet(scratch, guestMac, serverMac, etherType);
  const addressAt = (at: number) => frame.subarray(at, at + ipv6Bytes);
  const [from, to] = [ip.destinationAt, ip.sourceAt];
  const header = { protocol: protocols.tcp, payloadBytes: tcpHeaderBytes };
  const reply =
    ip.version === 4
      ? writeIpv4(scratch, start, { ...header, source: frame.readUInt32BE(from), destination: frame.readUInt32BE(to) })
      : writeIpv6(scratch, start, { ...header, source: addressAt(from), destination: addressAt(to), hopLimit });
  const hasAck = (tcp.flags & tcpFlags.ack) !== 0;
  const controlBytes = ((tcp.flags & tcpFlags.syn) !== 0 ? 1 : 0) + ((tcp.flags & tcpFlags.fin) !== 0 ? 1 : 0);
  const segmentBytes = tcp.payloadEnd - tcp.payloadStart + controlBytes;
  writeTcp(scratch, reply, {
    sourcePort: tcp.destinationPort,
    destinationPort: tcp.sourcePort,
    sequence: hasAck ? tcp.acknowledgment : 0,
    acknowledgment: hasAck ? 0 : (tcp.sequence + segmentBytes) >>> 0,
    flags: hasAck ? tcpFlags.rst : tcpFlags.rst | tcpFlags.ack,
  });
  return scratch.subarray(0, reply.payloadEnd);
}
