import type { BootRule } from '../../model/boot-rule.ts';
import type { EventSink } from '../../model/events.ts';
import type { Network } from '../../model/plan.ts';

/** What a DHCP server of one case works from, of either version. */
export interface DhcpOptions<N extends Network = Network> {
  readonly network: N;
  readonly rules: readonly BootRule[];
  /** Names of served files that a hardware address (lower case, colons) has been sent whole. */
  readonly served: (mac: string) => ReadonlySet<string>;
  readonly emit: EventSink;
}

/** Tells of one datagram what the server made of it; `reply` null where it sent none, and `note` why. */
export type Decided = (
  mac: string,
  messageType: string,
  rule: BootRule | null | undefined,
  reply: string | null,
  file: string | null,
  note?: string,
) => void;

export function decisionsTo(emit: EventSink): Decided {
  return (mac, messageType, rule, reply, file, note) => {
    const fields = { mac, messageType, rule: rule?.name ?? null, reply, file };
    emit({ source: 'dhcp', type: 'decided', ...fields, ...(note === undefined ? {} : { note }) });
  };
}
