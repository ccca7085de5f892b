import { deliveryOf } from '../../model/deliveries.ts';
import type { HarnessEvent } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import { bootFileOf, exchangesIn } from './exchanges.ts';
import { answersFamily } from './rule.ts';

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

/** Of the user's server: what the harness offers over the other address family is left out. */
export function serverAccount({ network }: Pick<Plan, 'network'>, events: readonly HarnessEvent[]): ServerAccount {
  const answered = exchangesIn(events).filter(({ family }) => answersFamily(network, family));
  return {
    offered: distinct(answered.flatMap(({ replies }) => replies.map(bootFileOf))),
    loaded: distinct(events.map((event) => deliveryOf(event)?.name)),
  };
}
