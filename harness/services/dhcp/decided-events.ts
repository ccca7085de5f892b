import type { BootRule } from '../../model/boot-rule.ts';
import type { EventSink } from '../../model/events.ts';
import type { Network } from '../../model/plan.ts';

/** What a DHCP server of one case works from, of either version. */
export interface DhcpOptions<N extends Network = Network> {
  readonly network: N;
  readonly rules: readonly BootRule[];
  /** Names of served files that the guest has been sent whole. */
  readonly served: () => ReadonlySet<string>;
  readonly emit: EventSink;
}

/** A datagram, by its sender and what kind of message it was. */
interface Asked {
  readonly mac: string;
  readonly messageType: string;
}

/** What a server made of it; without `reply` where it sent none, and then `note` says why. */
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
