import type { BootRule } from '../../model/boot-rule.ts';
import type { EventSink } from '../../model/events.ts';
import type { Network } from '../../model/plan.ts';
import type { Clock } from '../clock.ts';
import type { ServerFaults } from '../faults.ts';

/** What a case's DHCP server, of either version, is started with. */
export interface DhcpOptions<S extends 'dhcp' | 'dhcp6', N extends Network = Network> {
  readonly network: N;
  readonly rules: readonly BootRule[];
  /** Names of served files that the guest has been sent whole. */
  readonly served: () => ReadonlySet<string>;
  readonly emit: EventSink;
  readonly faults?: ServerFaults<S>;
  readonly clock?: Clock;
  /** Has another host of the network answer for an address; `probed` is called once, when it first has. */
  readonly occupy?: (ip: string, probed: () => void) => void;
}

/** A datagram's sender and message type. */
interface Asked {
  readonly mac: string;
  readonly messageType: string;
}

/** The server's decision; without `reply` if it sent none, and then `note` says why. */
interface Decision {
  readonly rule?: BootRule | undefined;
  readonly reply?: string;
  readonly file?: string | undefined;
  readonly note?: string | undefined;
}

export type Decided = (asked: Asked, decision: Decision) => void;

/** Emits a `dhcp/decided` event for each decision. */
export function decisionsTo(emit: EventSink): Decided {
  return ({ mac, messageType }, { rule, reply, file, note }) => {
    const fields = { mac, messageType, rule: rule?.name ?? null, reply: reply ?? null, file: file ?? null };
    emit({ source: 'dhcp', type: 'decided', ...fields, ...(note === undefined ? {} : { note }) });
  };
}
