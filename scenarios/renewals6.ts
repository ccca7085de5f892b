import { type Hardship, transfer } from './hardship-row.ts';

const until = { stage: 'nbp-fetch' } as const;

/** Leases that EDK II renews about every third second, first before it asks for its NBP, which takes longer than two of them. */
const short: NonNullable<Hardship['faults']> = [
  { server: 'dhcp6', leaseSeconds: 4 },
  { match: transfer, until, delayMs: 100 },
];
/** Met in the middle of the NBP, since the first is over before. iPXE sends none. */
const renewals = { server: 'dhcp6', match: { message: 'renew' }, of: { after: 1 }, until } as const;

export const dhcp6Renewals: Record<string, Hardship> = {
  'dhcp6-renewal': {
    title: 'DHCPv6 leases of 4 s, renewed in the middle of the NBP',
    faults: [...short, { ...renewals, delayMs: 200 }],
  },
  'dhcp6-renewal-refused': {
    title: 'DHCPv6 leases of 4 s, whose renewal in the middle of the NBP is refused (NoBinding)',
    faults: [...short, { ...renewals, status: 'noBinding' as const }],
  },
};
