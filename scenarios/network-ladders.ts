import { type Hardship, patience, transfer } from './hardship-row.ts';

const tcp = { protocol: 'tcp' } as const;

const latency: Hardship = { title: '200 ms there and back', faults: [{ delayMs: 100 }] };

/** What a network does to boots by HTTP and HTTPS; by count, since every frame is a segment that is sent again. */
export const tcpHardships: Record<string, Hardship> = {
  'loss-5': {
    title: 'every 20th TCP segment lost',
    faults: [{ match: tcp, drop: { every: 20 } }],
    // Its script and the handshake for it are fewer segments.
    chains: ['bios-http', 'bios-http-new', 'uefi-http', 'uefi-http-new', 'uefi-https'],
  },
  'loss-20': {
    title: 'every fifth TCP segment lost',
    faults: [{ match: tcp, drop: { every: 5 } }],
    deadlines: patience,
    chains: ['bios-http', 'bios-http-new', 'uefi-http', 'uefi-http-new'],
  },
  latency,
  'link-flap': {
    title: 'no link for 2 s in mid-transfer',
    faults: [{ on: 'to-guest', match: tcp, linkDownMs: { ms: 2000, of: { nth: 40 } } }],
    chains: ['bios-http', 'bios-http-new', 'uefi-http', 'uefi-http-new'],
  },
  'link-gone': {
    title: 'no link for 12 s in mid-transfer',
    faults: [{ on: 'to-guest', match: tcp, linkDownMs: { ms: 12_000, of: { nth: 40 } } }],
    chains: ['bios-http', 'bios-http-new', 'uefi-http', 'uefi-http-new'],
    stops: {
      'uefi-http': {
        stopsAt: 'nbp-fetch',
        failure: { rule: 'http-boot-error', says: 'Server response timeout' },
        reason:
          'UEFI HTTP boot of 2022 gives its NBP up after 5 s without a segment; that of 2026 asks for the rest (Range)',
        reference: 'https://github.com/tianocore/edk2/pull/6066',
      },
    },
  },
  reorder: {
    title: 'every 20th TCP segment swapped with the next',
    faults: [{ on: 'to-guest', match: tcp, reorder: { every: 20 } }],
    chains: ['bios-http-new', 'uefi-http-new'],
  },
};

/** What a network does to TFTP over IPv6. */
export const tftp6Hardships: Record<string, Hardship> = {
  'loss-5': { title: '5 % of TFTP lost', faults: [{ match: transfer, drop: 0.05 }] },
  'loss-20': {
    title: 'every fifth TFTP packet lost',
    faults: [{ match: transfer, drop: { every: 5 } }],
    deadlines: patience,
  },
  latency,
};
