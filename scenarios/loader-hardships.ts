import { type Group, type Hardship, patience, transfer } from './hardship-row.ts';

type Chain = Omit<Group, 'name'>;

const grub: Omit<Chain, 'arch'> = {
  ...{ configuration: 6, set: 'bookworm', nic: 'virtio-net-pci', rom: 'none', secondStage: 'grub', payload: 'linux' },
  // GRUB reads an EFI program whole before it goes on, and this one is as long as what the others fetch; a kernel is a hundred times as long.
  serve: {
    'fetched.efi': { secondStage: 'uki' },
    'grub/grub.cfg': { text: 'if chainloader /fetched.efi; then set nonce={{nonce}}; echo netboot-ok:$nonce; fi\n' },
  },
  stagePath: ['firmware', 'dhcp', 'nbp-fetch', 'nbp', 'config'],
};

/** Loaders with TFTP clients of their own, which the firmware has fetched over a network without faults. */
export const loaderChains = {
  grub: { arch: 'x86_64', firmware: 'ovmf', ...grub },
  'grub-arm': { arch: 'aarch64', firmware: 'aavmf', ...grub },
  pxelinux: {
    ...{ arch: 'x86_64', firmware: 'seabios', set: 'bookworm', nic: 'virtio-net-pci', rom: 'bundled' },
    ...{ configuration: 1, standIn: true, secondStage: 'pxelinux', payload: 'linux' },
  },
} satisfies Record<string, Chain>;

/** While GRUB fetches its configuration and 74 or 83 kB more, PXELINUX its library of 120 kB. */
const whileLoading = { from: { stage: 'nbp-fetch' }, until: { stage: 'config' } } as const;

const loss = (drop: number): Hardship['faults'] => [{ match: transfer, ...whileLoading, drop }];

/** Both CPUs have the same GRUB: the rest is for one of them. */
const oneOfEach = ['grub', 'pxelinux'];

const grubStop = (reason: string): Group['expect'] => ({
  ...{ stopsAt: 'config', failure: 'grub-prompt', reason, reference: 'GRUB 2.06, grub-core/net/tftp.c' },
});
const grubStops = (reason: string) => ({ grub: grubStop(reason), 'grub-arm': grubStop(reason) });

/** What networks and TFTP servers do to them. */
export const loaderHardships: Record<string, Hardship> = {
  'loader-loss-1': { title: '1 % of the loader’s TFTP lost', faults: loss(0.01), chains: oneOfEach },
  'loader-loss-5': { title: '5 % of the loader’s TFTP lost', faults: loss(0.05) },
  // GRUB asks for a block again after a second at least, and for its 73 some 40 times.
  'loader-loss-20': { title: '20 % of the loader’s TFTP lost', faults: loss(0.2), deadlines: patience },
  'loader-latency': { title: '200 ms there and back for the loader', faults: [{ ...whileLoading, delayMs: 100 }] },
  'loader-reorder': {
    title: '5 % of the loader’s TFTP swapped',
    faults: [{ on: 'to-guest', match: transfer, ...whileLoading, reorder: 0.05 }],
    chains: oneOfEach,
  },
  'loader-duplicate': {
    title: '10 % of the loader’s TFTP twice',
    faults: [{ match: transfer, ...whileLoading, duplicate: 0.1 }],
    chains: oneOfEach,
  },
  'loader-no-oack': {
    title: 'the loader’s TFTP without any option',
    faults: [{ server: 'tftp', ...whileLoading, ignoreOptions: 'all' }],
    // The forty requests take about a minute.
    deadlines: patience,
    stops: grubStops('GRUB takes no answer to its request but an OACK or an ERROR, and gives it up after 40 times'),
  },
  'loader-no-tsize': {
    title: 'the loader’s TFTP without tsize',
    faults: [{ server: 'tftp', ...whileLoading, ignoreOptions: ['tsize'] }],
    stops: grubStops('GRUB takes a file for one of 0 bytes where the server does not say how long it is'),
  },
  'loader-last-ack-lost': {
    title: 'the last ACK of each of the loader’s files lost',
    faults: [{ server: 'tftp', ...whileLoading, loseLastAck: true }],
    chains: oneOfEach,
  },
  'loader-error': {
    title: 'ERROR in place of block 20 of the loader’s',
    faults: [{ server: 'tftp', ...whileLoading, errorAtBlock: 20 }],
    chains: oneOfEach,
    // Neither client takes notice of the ERROR.
    deadlines: { totalMs: 900_000, stageMs: { config: 400_000 } },
    stops: {
      grub: grubStop(
        'an ERROR after the first block is not looked at: GRUB waits for the block until it gives the file up',
      ),
      pxelinux: {
        stopsAt: 'config',
        failure: 'pxelinux-boot-failed',
        reason:
          'an ERROR after the first block is not looked at: PXELINUX waits for the block for more than two minutes',
      },
    },
  },
};
