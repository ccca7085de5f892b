import type { UntimedEvent } from '../../model/events.ts';
import { parseDhcp6 } from '../codecs/dhcp6.ts';
import { dhcp6FactsOf } from './dhcp6-facts.ts';

/** One DHCPv6 datagram as an event: its facts, or why it cannot be parsed. */
export function sniffDhcp6(payload: Buffer, from: 'guest' | 'server'): UntimedEvent {
  const parsed = parseDhcp6(payload);
  if ('malformed' in parsed) {
    return { source: 'wire', type: 'malformed', from, layer: 'dhcp6', reason: parsed.malformed, count: 1 };
  }
  return { source: 'wire', type: 'dhcp6', from, ...dhcp6FactsOf(parsed.message) };
}
