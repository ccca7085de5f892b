import type { DhcpFacts } from '../../../model/events.ts';
import type { LeasePool } from '../lease-pool.ts';
import { onSubnet } from '../subnet.ts';

/** The decision on one message by RFC 2131 §4.3; `note` says why if that is not obvious. */
export type LeaseDecision =
  | { readonly reply: 'offer' | 'ack'; readonly ip: string }
  | { readonly reply: 'inform-ack' }
  | { readonly reply: 'nak'; readonly note: string }
  | { readonly reply: null; readonly note: string };

/** The server's identifier (54), and an address and its network mask. */
export interface Server {
  readonly serverId: string;
  readonly serverIp: string;
  readonly netmask: string;
}

export function decideLease(facts: DhcpFacts, pool: LeasePool, server: Server): LeaseDecision {
  const { mac } = facts;
  switch (facts.messageType) {
    case 'discover': {
      const ip = pool.offer(mac, facts.requestedIp);
      return ip ? { reply: 'offer', ip } : { reply: null, note: 'no address left' };
    }
    case 'request':
      return decideRequest(facts, pool, server);
    case 'inform':
      return { reply: 'inform-ack' };
    case 'decline': {
      if (facts.serverId !== server.serverId) return { reply: null, note: 'declined to another server' };
      const declined = facts.requestedIp !== undefined && pool.decline(mac, facts.requestedIp);
      return {
        reply: null,
        note: declined ? `${facts.requestedIp} is withheld` : 'declined an address it does not have',
      };
    }
    case 'release': {
      if (facts.serverId !== server.serverId || pool.leaseOf(mac) !== facts.ciaddr) {
        return { reply: null, note: 'released an address it does not have here' };
      }
      pool.release(mac);
      return { reply: null, note: `${facts.ciaddr} is free again` };
    }
    default:
      return { reply: null, note: `a client does not send ${facts.messageType}` };
  }
}

const unset = '0.0.0.0';

/** The client's state is read from what it sends (RFC 2131 §4.3.2, table 4). */
function decideRequest(facts: DhcpFacts, pool: LeasePool, server: Server): LeaseDecision {
  const { mac } = facts;
  const has = pool.leaseOf(mac);
  const asks = facts.requestedIp ?? (facts.ciaddr === unset ? undefined : facts.ciaddr);

  if (facts.serverId !== undefined) {
    if (facts.serverId !== server.serverId) {
      pool.release(mac);
      return { reply: null, note: `chose the server ${facts.serverId}` };
    }
    if (asks === undefined || asks !== has) {
      return { reply: 'nak', note: `asked for ${asks ?? 'no address'}, was offered ${has ?? 'none'}` };
    }
  } else {
    if (asks === undefined) return { reply: null, note: 'names neither an address nor a server' };
    if (!onSubnet(asks, server.serverIp, server.netmask))
      return { reply: 'nak', note: `${asks} is not on this network` };
    // Silence: another server may know the client.
    if (has === undefined) return { reply: null, note: `no lease on record for ${asks}` };
    if (has !== asks) return { reply: 'nak', note: `asked for ${asks}, has ${has}` };
  }
  pool.bind(mac);
  return { reply: 'ack', ip: asks };
}
