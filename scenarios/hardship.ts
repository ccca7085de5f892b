import {
  dhcp6Hardships,
  dhcpHardships,
  httpHardships,
  laterTlsHardships,
  tftpHardships,
  tlsHardships,
} from './faulty-servers.ts';
import { type Group, type Hardship, patience, transfer } from './hardship-row.ts';
import { loaderChains, loaderHardships } from './loader-hardships.ts';
import { tcpHardships, tftp6Hardships } from './network-ladders.ts';
import { dhcp6Renewals } from './renewals6.ts';
import { grubRollover, kernelRollover } from './rollover.ts';

const loss = (share: number): Hardship['faults'] => [{ match: transfer, drop: share }];

/** What a network does to a boot, from bad to worse; those marked are in the default matrix, the ladder is in the full one. */
const networkHardships: Record<string, Hardship> = {
  'loss-1': { title: '1 % of TFTP lost', faults: loss(0.01) },
  'loss-2': { title: '2 % of TFTP lost', faults: loss(0.02) },
  'loss-5': { title: '5 % of TFTP lost', faults: loss(0.05), first: true },
  'loss-10': { title: '10 % of TFTP lost', faults: loss(0.1), deadlines: patience },
  // Not for iPXE on BIOS: whether it boots or gives its NBP up is then chance, also with the same seed, since it follows its clock.
  'loss-20': {
    title: '20 % of TFTP lost',
    faults: loss(0.2),
    deadlines: patience,
    chains: ['uefi', 'uefi-new', 'arm', 'arm-new'],
  },
  // Not for EDK II, of whose windows of four blocks none comes whole then.
  'loss-fifth': {
    title: 'every fifth packet of TFTP lost',
    faults: [{ match: transfer, drop: { every: 5 } }],
    deadlines: patience,
    chains: ['bios-pxe', 'bios-pxe-new'],
  },
  latency: { title: '200 ms there and back', faults: [{ delayMs: 100 }] },
  reorder: {
    title: '5 % of TFTP swapped',
    faults: [{ on: 'to-guest', match: transfer, reorder: 0.05 }],
    // With a window of one block, as iPXE's, there is nothing to swap.
    chains: ['uefi', 'uefi-new', 'arm', 'arm-new'],
  },
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
  'link-flap': {
    title: 'no link for 2 s in mid-transfer',
    faults: [
      {
        on: 'to-guest',
        match: { protocol: 'tftp', message: 'data' },
        linkDownMs: { ms: 2000, of: { nth: 20 } },
      },
    ],
  },
};

const virtio = { nic: 'virtio-net-pci', rom: 'none' } as const;
const uefi = { arch: 'x86_64', firmware: 'ovmf', ...virtio, secondStage: 'snponly' } as const;
const arm = { arch: 'aarch64', firmware: 'aavmf', ...virtio, secondStage: 'ipxe' } as const;

type Chain = Omit<Group, 'name'>;
type Chains = Record<string, Chain>;

const bios: Chain = {
  ...{ arch: 'x86_64', firmware: 'seabios', set: 'bookworm', nic: 'virtio-net-pci', rom: 'bundled' },
  ...{ secondStage: 'undionly', standIn: true, configuration: 1 },
};

/** Boot chains, each with its own DHCP and TFTP clients. */
const chains: Chains = {
  'bios-pxe': bios,
  'bios-pxe-new': { ...bios, set: 'forky' },
  uefi: { ...uefi, set: 'bookworm' },
  'uefi-new': { ...uefi, set: 'forky' },
  arm: { ...arm, set: 'bookworm', nbpSet: 'forky' },
  'arm-new': { ...arm, set: 'forky' },
};

const httpChains: Chains = {
  'bios-http': { ...bios, transport: 'http' },
  'bios-http-new': { ...bios, set: 'forky', transport: 'http' },
  'uefi-http': { ...uefi, set: 'bookworm', transport: 'http' },
  'uefi-http-new': { ...uefi, set: 'forky', transport: 'http' },
};

const armHttps: Chain = {
  ...arm,
  set: 'bookworm',
  nbpSet: 'forky',
  transport: { nbp: 'tftp', config: 'https', payload: 'https' },
};
const httpsChains: Chains = {
  'uefi-https': { ...uefi, set: 'bookworm', transport: { nbp: 'https', config: 'http', payload: 'http' } },
  'arm-https': armHttps,
};
const httpsLinuxChains: Chains = { 'arm-https-linux': { ...armHttps, payload: 'linux' } };

const ipv6Chains: Chains = {
  'bios-ipv6': { ...bios, ipVersion: 6 },
  'bios-ipv6-new': { ...bios, set: 'forky', ipVersion: 6 },
};

const uefiIpv6: Chains = { 'uefi-ipv6': { ...uefi, set: 'bookworm', ipVersion: 6 } };

/** iPXE that fetches a kernel by TFTP; that of 2019 takes three times as long for it. */
const kernelChains: Chains = { 'bios-linux-new': { ...bios, set: 'forky', payload: 'linux' } };

/** GRUB, with as much to fetch. */
const longForGrub: Chains = {
  grub: {
    ...loaderChains.grub,
    serve: { ...loaderChains.grub.serve, 'fetched.efi': { secondStage: 'ipxe', set: 'forky' } },
  },
};

const isNew = (chain: string): boolean => chain.endsWith('-new');

const suffering = (chains: Chains, hardships: Record<string, Hardship>): Group[] =>
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
export const hardship: Group[] = [
  ...suffering(chains, { ...networkHardships, ...dhcpHardships, ...tftpHardships }),
  ...suffering(httpChains, httpHardships),
  ...suffering(httpsChains, tlsHardships),
  ...suffering(httpsLinuxChains, laterTlsHardships),
  ...suffering(ipv6Chains, dhcp6Hardships),
  ...suffering(loaderChains, loaderHardships),
  ...suffering({ ...httpChains, ...httpsChains }, tcpHardships),
  ...suffering({ ...ipv6Chains, ...uefiIpv6 }, tftp6Hardships),
  ...suffering(uefiIpv6, dhcp6Renewals),
  ...suffering(kernelChains, kernelRollover),
  ...suffering(longForGrub, grubRollover),
];
