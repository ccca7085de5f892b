import { deliveryOf } from '../../model/deliveries.ts';
import type { HarnessEvent } from '../../model/events.ts';
import { bootFileOf, exchangesIn } from './exchanges.ts';

/** What became of a boot, seen from a server: in order, each name once. */
export interface ServerAccount {
  /** Boot files in DHCP replies, as sent. */
  offered: string[];
  /** Files delivered whole by TFTP or HTTP. */
  loaded: string[];
}

const distinct = (names: readonly (string | undefined)[]): string[] => [
  ...new Set(names.filter((name) => name !== undefined)),
];

export function serverAccount(events: readonly HarnessEvent[]): ServerAccount {
  return {
    offered: distinct(exchangesIn(events).flatMap(({ replies }) => replies.map(bootFileOf))),
    loaded: distinct(events.map((event) => deliveryOf(event)?.name)),
  };
}
