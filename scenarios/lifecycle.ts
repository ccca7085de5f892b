import type { MatrixInput } from 'netboot-harness';
import * as bases from './bases.ts';

type Groups = MatrixInput['groups'];
type Group = Groups[number];

const { waits } = bases;

/** The NIC first, then the disk, as on a machine that is provisioned by network. */
const bios = { ...bases.bios, payload: 'disk' } as const;
/** Debian 13's OVMF can do without IPv6, over which EDK II tries HTTP boot for another minute, at work all the while. */
const fromTrixie = { set: 'trixie', payload: 'disk' } as const;
const ovmf = { ...bases.ovmfThenIpxe, ...fromTrixie } as const;
const aavmf = { ...bases.aavmfThenIpxe, ...fromTrixie } as const;

const script = (...commands: string[]): Group['serve'] => ({
  'boot.ipxe': { text: ['#!ipxe', ...commands, ''].join('\n') },
});

/** The server has nothing to boot for this machine. */
const emptyOffer: Group['boot'] = [{ name: 'an address alone', when: {} }];
const gone: Group['boot'] = [{ name: 'no answer', when: {}, answer: false }];

const noHttpBoot: Group['boot'] = [
  { name: 'HTTP boot → a closed port', when: { vendorClass: 'HTTPClient' }, file: bases.closedPortUrl },
  { name: 'second stage → script', when: { userClass: 'iPXE' }, file: 'boot.ipxe' },
  { name: 'first stage → NBP', when: {}, file: '{{nbp}}' },
];

const opensMenu = {
  stopsAt: 'disk',
  failure: 'uefi-setup',
  reason: 'EDK II takes success as a boot option that the user has left, and opens its menu',
  reference: 'EDK II MdeModulePkg/Universal/BdsDxe/BdsEntry.c, BootBootOptions()',
} as const;

/** Provisioned by network, then switched off and on: the NIC is still first, and the server has nothing for it any more. */
const thenFromDisk = (payload: 'linux' | 'script', fromDisk: Pick<Group, 'icount' | 'stagePath'>): Group['boots'] => [
  { name: 'provision', payload },
  { name: 'from disk', boot: emptyOffer, ...fromDisk },
];
const uefiFromDisk = thenFromDisk('script', { ...waits, stagePath: ['firmware', 'disk'] });

/** As provisioning servers do it: the NIC is still first, and the script of a machine that is provisioned says `exit`. */
const thenExit: Group['boots'] = [{ name: 'provision', payload: 'script' }, { name: 'from disk' }];

/** From the network to the machine's own disk, which prints the token. */
export const lifecycle: Groups = [
  { name: 'disk-exit-bios', description: "iPXE's exit hands the boot back", ...bios },
  {
    name: 'disk-exit-uefi',
    description: 'iPXE exits with a failure, and the next option boots',
    ...ovmf,
    boot: noHttpBoot,
  },
  { name: 'disk-exit-arm', ...aavmf, boot: noHttpBoot },
  { name: 'disk-exit-silence-uefi', description: 'HTTP boot in between, unanswered', ...ovmf, ...waits },
  { name: 'disk-exit-success-bios', ...bios, serve: script('exit') },
  { name: 'disk-exit-success-uefi', ...ovmf, serve: script('exit'), expect: opensMenu },
  { name: 'disk-exit-success-arm', ...aavmf, serve: script('exit'), expect: opensMenu },
  { name: 'disk-sanboot-bios', ...bios, serve: script('sanboot --no-describe --drive 0x80') },
  { name: 'disk-empty-offer-bios', ...bios, boot: emptyOffer, stagePath: ['firmware', 'oprom', 'dhcp', 'disk'] },
  { name: 'disk-empty-offer-arm', ...aavmf, ...waits, boot: emptyOffer, stagePath: ['firmware', 'disk'] },
  { name: 'disk-server-gone-bios', ...bios, ...waits, boot: gone, stagePath: ['firmware', 'oprom', 'disk'] },
  { name: 'disk-server-gone-uefi', ...ovmf, ...waits, boot: gone, stagePath: ['firmware', 'disk'] },
  { name: 'disk-server-gone-arm', ...aavmf, ...waits, boot: gone, stagePath: ['firmware', 'disk'] },
  {
    name: 'lifecycle-bios',
    ...bios,
    boots: thenFromDisk('linux', { stagePath: ['firmware', 'oprom', 'dhcp', 'disk'] }),
  },
  { name: 'lifecycle-uefi', ...ovmf, boots: uefiFromDisk },
  { name: 'lifecycle-arm', ...aavmf, boots: uefiFromDisk },
  {
    name: 'lifecycle-exit-bios',
    description: 'the second time the server says exit',
    ...bios,
    boots: thenExit,
  },
  { name: 'lifecycle-exit-uefi', ...ovmf, boot: noHttpBoot, boots: thenExit },
  { name: 'lifecycle-exit-arm', ...aavmf, boot: noHttpBoot, boots: thenExit },
];
