import { tableBounds } from '../../../model/bounds.ts';
import {
  type Dhcp6Message,
  dhcp6Options,
  dhcp6Status,
  type IaNa,
  optionOf,
  parseIaNa,
} from '../../../wire/codecs/dhcp6.ts';
import type { LeasePool } from '../lease-pool.ts';

/** The decision on one message by RFC 8415 §18.3. */
export type Decision6 =
  | {
      readonly reply: 'advertise' | 'reply';
      readonly ias: readonly IaNa[];
      /** Status of the message as a whole. */
      readonly status?: number;
      readonly rapidCommit?: true;
      /** Whether the reply carries configuration, such as what to boot. */
      readonly configures: boolean;
      readonly note?: string;
    }
  | { readonly reply: null; readonly note: string };

export interface Server6 {
  readonly duid: Buffer;
  /** Option 7: the highest ends a client's wait for other servers (RFC 8415 §18.2.1). */
  readonly preference?: number;
  /** False: a network whose addresses come from router advertisements. */
  readonly managed: boolean;
  readonly pool: LeasePool;
  onLink(ip: string): boolean;
}

const leaseSeconds = 86_400;

/** A valid message with the associations that it asks about. */
interface Asked {
  readonly message: Dhcp6Message;
  readonly ias: readonly IaNa[];
  readonly server: Server6;
  /** Key of the nth association's lease. */
  keyOf(index: number): string;
}

const answer = (configures: boolean, ias: readonly IaNa[], status?: number): Decision6 => ({
  reply: 'reply',
  configures,
  ias,
  ...(status === undefined ? {} : { status }),
});

function onSolicit({ message, ias, server: { managed, pool }, keyOf }: Asked): Decision6 {
  for (const index of managed ? ias.keys() : []) pool.offer(keyOf(index), undefined);
  // Read once all have been offered one: when few are left, a later offer withdraws an earlier one.
  const leased = managed ? ias.map((ia, index) => lease(ia, pool.leaseOf(keyOf(index)) ?? null)) : [];
  if (leased.every((ia) => ia.addresses.length === 0)) {
    const note = managed ? 'no address left' : 'addresses here come from router advertisements';
    return { reply: 'advertise', ias: [], status: dhcp6Status.noAddrsAvail, configures: false, note };
  }
  if (optionOf(message, dhcp6Options.rapidCommit) === undefined) {
    return { reply: 'advertise', ias: leased, configures: true };
  }
  for (const index of leased.keys()) pool.bind(keyOf(index));
  return { reply: 'reply', ias: leased, rapidCommit: true, configures: true };
}

function onRequest({ ias, server: { managed, pool }, keyOf }: Asked): Decision6 {
  const leased = ias.map((ia, index) => {
    const ip = managed ? pool.offer(keyOf(index), undefined) : null;
    pool.bind(keyOf(index));
    return lease(ia, ip);
  });
  return answer(true, leased);
}

function onRenew({ ias, server: { pool }, keyOf }: Asked): Decision6 {
  const extended = ias.map((ia, index) => {
    const ip = pool.leaseOf(keyOf(index));
    pool.bind(keyOf(index));
    return ip === undefined ? failed(ia, dhcp6Status.noBinding) : lease(ia, ip);
  });
  return answer(true, extended);
}

function onConfirm({ ias, server }: Asked): Decision6 {
  const addresses = ias.flatMap((ia) => ia.addresses);
  if (addresses.length === 0) return { reply: null, note: 'no address to confirm' };
  const onLink = addresses.every(({ ip }) => server.onLink(ip));
  return answer(false, [], onLink ? dhcp6Status.success : dhcp6Status.notOnLink);
}

/** Gives leases back; a declined address is in use elsewhere, and is not offered again. */
function onReturn({ message, ias, server: { pool }, keyOf }: Asked): Decision6 {
  const unknown = ias.filter((ia, index) => {
    const ip = pool.leaseOf(keyOf(index));
    if (ip === undefined || !ia.addresses.some((address) => address.ip === ip)) return true;
    if (message.messageType === 'decline') pool.decline(keyOf(index), ip);
    else pool.release(keyOf(index));
    return false;
  });
  const failures = unknown.map((ia) => failed(ia, dhcp6Status.noBinding));
  return answer(false, failures, dhcp6Status.success);
}

/** Per message type (RFC 8415 §18.3); a client does not send any other. */
const decisions: Partial<Record<Dhcp6Message['messageType'], (asked: Asked) => Decision6>> = {
  solicit: onSolicit,
  request: onRequest,
  renew: onRenew,
  rebind: onRenew,
  confirm: onConfirm,
  release: onReturn,
  decline: onReturn,
  'information-request': () => answer(true, []),
};

/**
 * `mac` is the sender's: leases are keyed by it and the association's index in the message, since firmware and
 * second stage have different DUIDs and IAIDs for the same NIC.
 */
export function decideLease6(message: Dhcp6Message, mac: string, server: Server6): Decision6 {
  const refused = validate(message, server.duid);
  if (refused) return { reply: null, note: refused };
  const parsed = message.options
    .filter(({ code }) => code === dhcp6Options.iaNa)
    .slice(0, tableBounds.associations)
    .map(({ data }) => parseIaNa(data));
  if (parsed.includes(null)) return { reply: null, note: 'malformed IA_NA' };
  const ias = parsed.filter((ia) => ia !== null);
  const decide = decisions[message.messageType];
  if (decide === undefined) return { reply: null, note: `a client does not send ${message.messageType}` };
  return decide({ message, ias, server, keyOf: (index) => `${mac}/${index}` });
}

/** Which identifiers a message must and must not carry (RFC 8415 §16). */
const identifiers: Partial<Record<Dhcp6Message['messageType'], { client: boolean; server: boolean | 'may' }>> = {
  solicit: { client: true, server: false },
  request: { client: true, server: true },
  confirm: { client: true, server: false },
  renew: { client: true, server: true },
  rebind: { client: true, server: false },
  release: { client: true, server: true },
  decline: { client: true, server: true },
  'information-request': { client: false, server: 'may' },
};

function validate(message: Dhcp6Message, duid: Buffer): string | null {
  const rule = identifiers[message.messageType];
  if (!rule) return null;
  const serverId = optionOf(message, dhcp6Options.serverId);
  const clientId = optionOf(message, dhcp6Options.clientId);
  if (rule.client && !clientId?.length) return 'no client identifier';
  if (rule.server === true && !serverId) return 'no server identifier';
  if (rule.server === false && serverId) return 'server identifier not allowed in this message';
  if (serverId && !serverId.equals(duid)) return `meant for the server ${serverId.toString('hex')}`;
  if (message.messageType === 'information-request' && optionOf(message, dhcp6Options.iaNa)) {
    return 'IA_NA not allowed in this message';
  }
  return null;
}

function lease(ia: IaNa, ip: string | null): IaNa {
  if (ip === null) return failed(ia, dhcp6Status.noAddrsAvail);
  return {
    iaid: ia.iaid,
    t1Seconds: leaseSeconds * 0.5,
    t2Seconds: leaseSeconds * 0.8,
    addresses: [{ ip, preferredSeconds: leaseSeconds, validSeconds: leaseSeconds }],
  };
}

function failed(ia: IaNa, status: number): IaNa {
  return { iaid: ia.iaid, t1Seconds: 0, t2Seconds: 0, addresses: [], status };
}
