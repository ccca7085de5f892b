import type { MatrixInput } from 'netboot-harness';

type Group = MatrixInput['groups'][number];
type Hardship = Pick<Group, 'faults' | 'tags' | 'deadlines'> & {
  title: string;
  first?: true;
  /** Only these chains; all by default. */
  chains?: readonly string[];
  /** Chains that it stops. */
  stops?: Record<string, Group['expect']>;
};

type Stop = Extract<NonNullable<Group['expect']>, { stopsAt: unknown }>;

/** Stops of EDK II's PXE, by its message. */
const pxeStop = (says: string, reason: string, more: Partial<Stop> = {}): Stop => ({
  ...{ stopsAt: 'nbp-fetch', failure: { rule: 'pxe-error', says }, reason, ...more },
});

/** iPXE tries its network device and has no other. */
const ipxeStop = (stopsAt: Stop['stopsAt'], reason: string): Stop => ({
  ...{ stopsAt, failure: { rule: 'ipxe-no-device', says: 'No more network devices' }, reason },
});

/** The oldest and the newest of the clients. */
const two = ['bios-pxe', 'arm-new'];

const transfer = { protocol: 'tftp' } as const;
const loss = (share: number): Hardship['faults'] => [{ match: transfer, drop: share }];

/** A lost block costs a second and more, and there are hundreds. */
const patience = { totalMs: 900_000, stageMs: { 'nbp-fetch': 600_000, config: 300_000 } };

/** What a network does to a boot, from bad to worse; those marked are in the default matrix, the ladder is in the full one. */
const hardships: Record<string, Hardship> = {
  'loss-1': { title: '1 % of TFTP lost', faults: loss(0.01) },
  'loss-2': { title: '2 % of TFTP lost', faults: loss(0.02) },
  'loss-5': { title: '5 % of TFTP lost', faults: loss(0.05), first: true },
  'loss-10': { title: '10 % of TFTP lost', faults: loss(0.1), deadlines: patience },
  'loss-20': { title: '20 % of TFTP lost', faults: loss(0.2), deadlines: patience },
  latency: { title: '200 ms there and back', faults: [{ delayMs: 100 }] },
  reorder: { title: '5 % of TFTP swapped', faults: [{ on: 'to-guest', match: transfer, reorder: 0.05 }] },
  duplicate: { title: '10 % of TFTP twice', faults: [{ match: transfer, duplicate: 0.1 }] },
  'acks-twice': {
    title: 'every ACK twice (RFC 1123 §4.2.3.1, Sorcerer’s Apprentice)',
    faults: [{ on: 'from-guest', match: { protocol: 'tftp', message: 'ack' }, duplicate: 1 }],
  },
  damage: { title: '2 % of TFTP damaged', faults: [{ on: 'to-guest', match: transfer, corrupt: 0.02 }] },
  'offers-lost': {
    title: 'the first two OFFERs lost',
    faults: [{ on: 'to-guest', match: { protocol: 'dhcp', message: 'offer' }, drop: { first: 2 } }],
  },
  'acks-of-dhcp-lost': {
    title: 'the first two ACKs of DHCP lost',
    faults: [{ on: 'to-guest', match: { protocol: 'dhcp', message: 'ack' }, drop: { first: 2 } }],
    first: true,
  },
  /** The server's NAK is to be answered with a new DISCOVER (RFC 2131 §4.4.1). */
  'nak-second-stage': {
    // iPXE of 2019 (undionly and snponly of bookworm) takes no notice of it and repeats its REQUEST, which is then acknowledged;
    // iPXE 2.0 starts again with a DISCOVER (iPXE 1192edf39).
    title: 'a NAK to the second stage’s first REQUEST',
    faults: [{ server: 'dhcp', from: { stage: 'nbp-fetch' }, of: { first: 1 }, nak: true }],
    first: true,
  },
  nak: {
    title: 'a NAK to the first REQUEST',
    faults: [{ server: 'dhcp', of: { first: 1 }, nak: true }],
    chains: two,
    stops: {
      'arm-new': pxeStop('PXE-E07: Network device error', 'EDK II gives PXE up at a NAK', { stopsAt: 'dhcp' }),
    },
  },
  'dhcp-two-servers': {
    title: 'a second DHCP server, without a boot file, answers first',
    faults: [{ server: 'dhcp', secondServer: { answersFirst: true } }],
    chains: two,
    stops: {
      'bios-pxe': ipxeStop('nbp-fetch', 'iPXE takes the first offer, which has no boot file'),
      'arm-new': ipxeStop(
        'config',
        'EDK II takes the offer that has a boot file, iPXE after it the first, which has none',
      ),
    },
  },
  'dhcp-overload': {
    title: 'options in file and sname (RFC 2132 §9.3)',
    faults: [{ server: 'dhcp', overload: 'both' }],
    chains: two,
    stops: {
      'bios-pxe': ipxeStop('dhcp', 'iPXE takes no offer whose options are in file and sname'),
      'arm-new': ipxeStop('nbp-dhcp', 'EDK II reads options in file and sname, iPXE after it takes no such offer'),
    },
  },
  'dhcp-split': {
    title: 'options in parts of 8 bytes (RFC 3396)',
    faults: [{ server: 'dhcp', splitOptionsAt: 8 }],
    chains: two,
    stops: {
      'arm-new': pxeStop(
        'PXE-E23: Client received TFTP error',
        'EDK II takes the first part of option 67 for all of it, and asks for "ipxe-arm"',
      ),
    },
  },
  'dhcp-1500': {
    title: 'DHCP replies of 1,500 bytes',
    faults: [{ server: 'dhcp', datagramBytes: 1500 }],
    chains: two,
  },
  'tftp-no-oack': {
    title: 'TFTP without any option',
    faults: [{ server: 'tftp', ignoreOptions: 'all' }],
    chains: two,
    stops: {
      'arm-new': pxeStop(
        'PXE-E99: Unexpected network error',
        'EDK II asks for the size of the NBP, and has no other way to know it',
      ),
    },
  },
  'tftp-error': {
    title: 'ERROR in place of block 20',
    faults: [{ server: 'tftp', errorAtBlock: 20 }],
    chains: two,
    stops: {
      'bios-pxe': ipxeStop('nbp-fetch', 'an ERROR ends a transfer (RFC 1350 §7)'),
      'arm-new': pxeStop('PXE-E23: Client received TFTP error', 'an ERROR ends a transfer (RFC 1350 §7)'),
    },
  },
  'dhcp-silent': {
    title: 'the first three DISCOVERs unanswered',
    faults: [{ server: 'dhcp', match: { message: 'discover' }, of: { first: 3 }, silent: true }],
    chains: ['bios-pxe'],
  },
  'dhcp-slow': {
    title: 'DHCP answers after 3 s',
    faults: [{ server: 'dhcp', delayMs: 3000 }],
    chains: ['bios-pxe'],
  },
  'dhcp-boot-file-late': {
    title: 'the first OFFER without a boot file',
    faults: [{ server: 'dhcp', match: { message: 'discover' }, of: { first: 1 }, withoutBootFile: true }],
    chains: ['bios-pxe'],
  },
  'dhcp-reversed': {
    title: 'DHCP options in reverse order',
    faults: [{ server: 'dhcp', reverseOptions: true }],
    chains: ['bios-pxe'],
  },
  'tftp-options-refused': {
    title: 'ERROR 8 to any option (RFC 2347)',
    faults: [{ server: 'tftp', refuseOptions: true }],
    chains: ['bios-pxe'],
    stops: { 'bios-pxe': ipxeStop('nbp-fetch', 'iPXE does not ask again without options') },
  },
  'tftp-slow-start': {
    title: 'TFTP starts after 5 s',
    faults: [{ server: 'tftp', delayMs: 5000 }],
    chains: ['bios-pxe'],
  },
  'tftp-other-tid': {
    title: 'block 20 from another port first',
    faults: [{ server: 'tftp', otherTidAtBlock: 20 }],
    chains: two,
  },
  'tftp-no-tsize': {
    title: 'TFTP without tsize',
    faults: [{ server: 'tftp', ignoreOptions: ['tsize'] }],
    chains: ['bios-pxe', 'arm'],
    stops: {
      arm: pxeStop(
        'PXE-E53: No boot filename received',
        'EDK II takes the file for one of 0 bytes where the server does not say how long it is',
        { reference: 'https://github.com/sirMackk/py3tftp/pull/10' },
      ),
    },
    first: true,
  },
  'tftp-tsize-unasked': {
    title: 'tsize in every OACK, asked for or not',
    faults: [{ server: 'tftp', oack: { tsize: 'length' } }],
    chains: ['bios-pxe', 'uefi', 'arm'],
    stops: Object.fromEntries(
      ['uefi', 'arm'].map((chain) => [
        chain,
        pxeStop(
          'PXE-E23: Client received TFTP error',
          'EDK II refuses an OACK with an option that it has not asked for, as RFC 2347 has it',
          { reference: 'https://github.com/gagle/node-tftp/issues/13' },
        ),
      ]),
    ),
    first: true,
  },
  'tftp-last-ack-lost': {
    title: 'the last ACK lost',
    faults: [{ server: 'tftp', loseLastAck: true }],
    chains: ['bios-pxe', 'arm'],
    first: true,
  },
  'link-flap': {
    title: 'no link for 2 s after the lease',
    faults: [{ from: { stage: 'dhcp' }, linkDownMs: 2000 }],
    // OVMF of 2026 waits for a link that goes before it asks for the file's size, and gives PXE up if it goes right after:
    // a matter of milliseconds, so that no cell can expect either.
    chains: ['bios-pxe', 'uefi', 'arm', 'arm-new'],
  },
};

/** A download that the server ends is given up: only a timeout or a device error would have it resumed. */
const notResumed: Group['expect'] = {
  stopsAt: 'nbp-fetch',
  failure: { rule: 'http-boot-error', says: 'Unexpected network error' },
  reason: 'UEFI HTTP boot does not ask for the rest when the server closes the connection in the middle of the NBP',
  reference: 'https://github.com/tianocore/edk2/pull/6066',
};

/** What an HTTP server does to UEFI HTTP boot. */
const httpHardships: Record<string, Hardship> = {
  'http-cut': {
    title: 'the connection closed in the middle of the NBP, once',
    faults: [{ server: 'http', match: { method: 'GET' }, of: { first: 1 }, truncateToBytes: 100_000 }],
    stops: { 'uefi-http': notResumed, 'uefi-http-new': notResumed },
    first: true,
  },
};

const virtio = { nic: 'virtio-net-pci', rom: 'none' } as const;
const uefi = { arch: 'x86_64', firmware: 'ovmf', ...virtio, secondStage: 'snponly' } as const;
const arm = { arch: 'aarch64', firmware: 'aavmf', ...virtio, secondStage: 'ipxe' } as const;

/** Boot chains, each with its own DHCP and TFTP clients. */
const chains: Record<string, Omit<Group, 'name'>> = {
  'bios-pxe': {
    ...{ arch: 'x86_64', firmware: 'seabios', set: 'bookworm', nic: 'virtio-net-pci', rom: 'bundled' },
    ...{ secondStage: 'undionly', standIn: true, configuration: 1 },
  },
  uefi: { ...uefi, set: 'bookworm' },
  'uefi-new': { ...uefi, set: 'forky' },
  arm: { ...arm, set: 'bookworm', nbpSet: 'forky' },
  'arm-new': { ...arm, set: 'forky' },
};

const httpChains: Record<string, Omit<Group, 'name'>> = {
  'uefi-http': { ...uefi, set: 'bookworm', transport: 'http' },
  'uefi-http-new': { ...uefi, set: 'forky', transport: 'http' },
};

const isNew = (chain: string): boolean => chain.endsWith('-new');

const suffering = (chains: Record<string, Omit<Group, 'name'>>, hardships: Record<string, Hardship>): Group[] =>
  Object.entries(chains).flatMap(([chain, group]) =>
    Object.entries(hardships)
      .filter(([, { chains: only }]) => only?.includes(chain) ?? true)
      .map(
        ([name, { first, stops, chains: _, ...hard }]): Group => ({
          name: `hard-${name}-${chain}`,
          ...group,
          ...hard,
          ...(stops?.[chain] ? { expect: stops[chain] } : {}),
          ...(first && !isNew(chain) ? {} : { tags: ['full'] }),
        }),
      ),
  );

/** The same boots with networks and servers that misbehave: which chain survives what. */
export const hardship: Group[] = [...suffering(chains, hardships), ...suffering(httpChains, httpHardships)];
