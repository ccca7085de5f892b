import { tableBounds } from '../../model/bounds.ts';
import type { TcpPacket } from '../codecs/packet.ts';
import { tcpFlags } from '../codecs/tcp.ts';

export type Side = 'guest' | 'server';

/** A protocol's view of one connection. Positions count bytes of data from 0 in each direction. */
export interface ConversationReader {
  /** Bytes `start` to `end` of the frame are those at `position`: repeated, early or late, as segments arrive. */
  data(from: Side, position: number, frame: Buffer, start: number, end: number): void;
  /**
   * The guest acknowledged everything the server sent before `position`; `endAcknowledged` if that is
   * the whole stream including its FIN.
   */
  acknowledged(position: number, endAcknowledged: boolean): void;
  /** The server ends its direction after `position` bytes; the guest is yet to hear of it. */
  ends?(position: number): void;
  /** The guest ended its direction, or the whole connection. */
  left?(): void;
}

interface Direction {
  /** Sequence number of position 0; undefined before the SYN was seen. */
  initial: number | undefined;
  /** Position after the last byte of data seen. */
  sentEnd: number;
  finAt: number | undefined;
  /** A FIN or RST was seen. */
  left: boolean;
}

interface Conversation {
  readonly directions: { readonly guest: Direction; readonly server: Direction };
  readonly reader: ConversationReader;
}

const newDirection = (initial?: number): Direction => ({ initial, sentEnd: 0, finAt: undefined, left: false });

/** Follows TCP connections seen from their SYN on; the oldest is dropped when there are too many. */
export function createConversations(open: (serverPort: number) => ConversationReader): {
  segment(from: Side, packet: TcpPacket): void;
} {
  const conversations = new Map<number, Conversation>();

  function begin(key: number, serverPort: number, initial: number): void {
    const known = conversations.get(key);
    if (known?.directions.guest.initial === initial) return;
    conversations.delete(key);
    const [oldest] = conversations.keys();
    if (oldest !== undefined && conversations.size >= tableBounds.sniffedConnections) conversations.delete(oldest);
    const directions = { guest: newDirection(initial), server: newDirection() };
    conversations.set(key, { directions, reader: open(serverPort) });
  }

  function readAcknowledgment({ directions: { server }, reader }: Conversation, acknowledgment: number): void {
    if (server.initial === undefined) return;
    const position = positionOf(server, server.initial, acknowledgment);
    const endAcknowledged = server.finAt !== undefined && position > server.finAt;
    reader.acknowledged(Math.min(position, server.sentEnd), endAcknowledged);
  }

  /** Whether this segment is the first to end the guest's direction. */
  function leaves({ directions: { guest } }: Conversation, from: Side, flags: number): boolean {
    if (from !== 'guest' || guest.left) return false;
    guest.left = (flags & (tcpFlags.fin | tcpFlags.rst)) !== 0;
    return guest.left;
  }

  function isOver({ directions: { guest, server } }: Conversation, from: Side, acknowledgment: number): boolean {
    if (from !== 'guest' || guest.finAt === undefined) return false;
    if (server.finAt === undefined || server.initial === undefined) return false;
    return positionOf(server, server.initial, acknowledgment) > server.finAt;
  }

  return {
    segment(from, { frame, ip, tcp }) {
      const { flags } = tcp;
      const [guestPort, serverPort] =
        from === 'guest' ? [tcp.sourcePort, tcp.destinationPort] : [tcp.destinationPort, tcp.sourcePort];
      const key = (ip.version * 0x1_0000 + serverPort) * 0x1_0000 + guestPort;
      const isSyn = (flags & tcpFlags.syn) !== 0;
      const hasAck = (flags & tcpFlags.ack) !== 0;
      if (isSyn && !hasAck && from === 'guest') begin(key, serverPort, (tcp.sequence + 1) >>> 0);
      const conversation = conversations.get(key);
      if (conversation === undefined) return;
      const direction = conversation.directions[from];
      if (isSyn && hasAck && from === 'server') direction.initial ??= (tcp.sequence + 1) >>> 0;
      if (from === 'guest' && hasAck) readAcknowledgment(conversation, tcp.acknowledgment);
      if (direction.initial !== undefined && !isSyn && (flags & tcpFlags.rst) === 0) {
        const position = positionOf(direction, direction.initial, tcp.sequence);
        const length = tcp.payloadEnd - tcp.payloadStart;
        const isLast = (flags & tcpFlags.fin) !== 0 && direction.finAt === undefined;
        if (isLast) direction.finAt = position + length;
        direction.sentEnd = Math.max(direction.sentEnd, position + length);
        if (length > 0) conversation.reader.data(from, position, frame, tcp.payloadStart, tcp.payloadEnd);
        if (isLast && from === 'server') conversation.reader.ends?.(position + length);
      }
      if (leaves(conversation, from, flags)) conversation.reader.left?.();
      if ((flags & tcpFlags.rst) !== 0 || isOver(conversation, from, tcp.acknowledgment)) conversations.delete(key);
    },
  };
}

/** The position nearest to the last one sent that a 32-bit sequence number can stand for (RFC 9293 §3.4). */
function positionOf({ sentEnd }: Direction, initial: number, sequence: number): number {
  return sentEnd + ((sequence - initial - sentEnd) | 0);
}
