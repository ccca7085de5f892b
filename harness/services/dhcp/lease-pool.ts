interface Lease {
  readonly ip: string;
  bound: boolean;
}

/**
 * Addresses by hardware address: not by option 61 or DUID, which firmware and second stage set differently
 * for the same NIC.
 */
export interface LeasePool {
  /** The current address, the requested one, or the first free one (order of RFC 2131 §4.3.1). Null: none left. */
  offer(mac: string, requestedIp: string | undefined): string | null;
  /** The address offered to or bound by a client. */
  leaseOf(mac: string): string | undefined;
  bind(mac: string): void;
  /** Gives the address back. */
  release(mac: string): void;
  /** Withholds an address that a client found in use; false if it is not the client's. */
  decline(mac: string, ip: string): boolean;
}

/** `addresses` in the order they are given out. */
export function createLeasePool(addresses: readonly string[]): LeasePool {
  /** Oldest first. */
  const leases = new Map<string, Lease>();
  /** Leased, offered or declined. */
  const taken = new Set<string>();

  const isFree = (ip: string): boolean => !taken.has(ip);

  function remove(mac: string): void {
    taken.delete(leases.get(mac)?.ip ?? '');
    leases.delete(mac);
  }

  /** When all are taken, the oldest unaccepted offer is withdrawn. */
  function reclaim(): string | undefined {
    for (const [mac, lease] of leases) {
      if (lease.bound) continue;
      remove(mac);
      return lease.ip;
    }
    return undefined;
  }

  return {
    offer(mac, requestedIp) {
      const current = leases.get(mac);
      if (current) return current.ip;
      const asked = requestedIp !== undefined && addresses.includes(requestedIp) && isFree(requestedIp);
      const ip = asked ? requestedIp : (addresses.find(isFree) ?? reclaim());
      if (ip === undefined) return null;
      leases.set(mac, { ip, bound: false });
      taken.add(ip);
      return ip;
    },
    leaseOf: (mac) => leases.get(mac)?.ip,
    bind(mac) {
      const lease = leases.get(mac);
      if (lease) lease.bound = true;
    },
    release: remove,
    decline(mac, ip) {
      if (leases.get(mac)?.ip !== ip) return false;
      leases.delete(mac);
      return true;
    },
  };
}
