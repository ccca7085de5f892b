import type { EventSink } from '../model/events.ts';
import type { TcpPacket } from './packet.ts';

export function createTlsSniffer(_emit: EventSink): { segment(from: 'guest' | 'server', packet: TcpPacket): void } {
  return { segment() {} };
}
