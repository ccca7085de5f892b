import type { UntimedEvent } from '../../model/events.ts';
import { parseDhcp } from '../codecs/dhcp.ts';
import { type DatagramFacts, dhcpFactsOf } from './dhcp-facts.ts';

/** One DHCPv4 datagram as an event: its facts, or why it cannot be parsed. */
export function sniffDhcp(
  payload: Buffer,
  dstPort: number,
  from: 'guest' | 'server',
  addresses: Omit<DatagramFacts, 'bytes'> = {},
): UntimedEvent {
  const parsed = parseDhcp(payload);
  if ('malformed' in parsed) {
    return { source: 'wire', type: 'malformed', from, layer: 'dhcp', reason: parsed.malformed, count: 1 };
  }
  return {
    source: 'wire',
    type: 'dhcp',
    from,
    ...dhcpFactsOf(parsed.message, dstPort, { ...addresses, bytes: payload.length }),
  };
}
