/** Enough for every NIC a guest can have; a bound on what random hardware addresses can take. */
const mostAddresses = 64;

interface Lease {
  readonly ip: string;
  bound: boolean;
}

/**
 * Addresses by hardware address: not by option 61, which firmware and second stage fill differently for
 * the same NIC.
 */
export interface LeasePool {
  /** RFC 2131 §4.3.1's order: what it has, what it asks for, the first free one. Null: none is left. */
  offer(mac: string, requestedIp: string | undefined): string | null;
  /** The address offered to or bound by a client. */
  leaseOf(mac: string): string | undefined;
  bind(mac: string): void;
  /** Gives the address back. */
  release(mac: string): void;
  /** Withholds an address that a client found in use, when it is the client's. */
  decline(mac: string, ip: string): boolean;
  /** Whether an address is in the subnet at all. */
  onSubnet(ip: string): boolean;
}

/** `firstIp`, then those after it in its subnet, without the network's, the broadcast's and `reserved`. */
export function createLeasePool(firstIp: string, netmask: string, reserved: readonly string[]): LeasePool {
  const mask = numberOf(netmask);
  const subnet = (numberOf(firstIp) & mask) >>> 0;
  const last = (subnet | ~mask) >>> 0;
  const addresses: string[] = [];
  for (let ip = numberOf(firstIp); ip < last && addresses.length < mostAddresses; ip++) {
    const text = quadOf(ip);
    if (ip > subnet && !reserved.includes(text)) addresses.push(text);
  }
  /** Oldest first. */
  const leases = new Map<string, Lease>();
  const declined = new Set<string>();

  const isFree = (ip: string) => !declined.has(ip) && ![...leases.values()].some((lease) => lease.ip === ip);

  /** When all are taken, the oldest offer that nobody took up gives way. */
  function reclaim(): string | undefined {
    for (const [mac, lease] of leases) {
      if (lease.bound) continue;
      leases.delete(mac);
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
      return ip;
    },
    leaseOf: (mac) => leases.get(mac)?.ip,
    bind(mac) {
      const lease = leases.get(mac);
      if (lease) lease.bound = true;
    },
    release(mac) {
      leases.delete(mac);
    },
    decline(mac, ip) {
      if (leases.get(mac)?.ip !== ip) return false;
      leases.delete(mac);
      declined.add(ip);
      return true;
    },
    onSubnet: (ip) => (numberOf(ip) & mask) >>> 0 === subnet,
  };
}

/** The highest host address of a subnet that `taken` leaves: an identity for a second server. */
export function spareHost(ip: string, netmask: string, taken: readonly string[]): string {
  const mask = numberOf(netmask);
  let host = ((numberOf(ip) | ~mask) >>> 0) - 1;
  while (taken.includes(quadOf(host))) host--;
  return quadOf(host);
}

function numberOf(quad: string): number {
  return quad.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function quadOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}
