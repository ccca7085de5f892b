import type { MatrixInput } from 'netboot-harness';

type Groups = MatrixInput['groups'];
type Expect = NonNullable<Groups[number]['expect']>;

/** What the first stage fetches one way and its second stage another. */
const tftpThenHttp = { nbp: 'tftp', config: 'http', payload: 'http' } as const;
const httpThenTftp = { nbp: 'http', config: 'tftp', payload: 'tftp' } as const;

/** Firmware that drives virtio-net itself and loads iPXE; a BIOS ROM that is iPXE. */
const ovmf = {
  arch: 'x86_64',
  firmware: 'ovmf',
  set: 'bookworm',
  nic: 'virtio-net-pci',
  rom: 'none',
  secondStage: 'snponly',
  configuration: 6,
} as const;
const aavmf = {
  arch: 'aarch64',
  firmware: 'aavmf',
  set: 'bookworm',
  nbpSet: 'forky',
  nic: 'virtio-net-pci',
  rom: 'none',
  secondStage: 'ipxe',
  configuration: 6,
} as const;
const biosRom = {
  arch: 'x86_64',
  firmware: 'seabios',
  set: 'bookworm',
  nic: 'virtio-net-pci',
  rom: 'bundled',
  configuration: 2,
} as const;

const stops = (stopsAt: 'nbp-fetch' | 'config', failure: string, reason: string): Expect => ({
  stopsAt,
  failure,
  reason,
});

const mixed: Groups = [
  {
    ...ovmf,
    name: 'mixed-ovmf',
    description: 'NBP one way, script, kernel and initrd another',
    transport: [tftpThenHttp, httpThenTftp],
    payload: 'linux',
  },
  { ...aavmf, name: 'mixed-aavmf', transport: [tftpThenHttp, httpThenTftp], payload: 'linux' },
  { ...biosRom, name: 'mixed-bios', transport: [{ config: 'http' }, { payload: 'http' }], payload: 'linux' },
  {
    ...biosRom,
    name: 'mixed-undionly',
    description: 'The ROM fetches undionly.kpxe by HTTP, which fetches the rest by TFTP, and the other way round',
    configuration: 1,
    secondStage: 'undionly',
    transport: [tftpThenHttp, httpThenTftp],
  },
  {
    ...ovmf,
    name: 'grub-http',
    description: "Debian's signed network GRUB and HTTP",
    secondStage: 'shim-grub',
    transport: httpThenTftp,
    payload: 'linux',
    expect: stops(
      'config',
      'grub-prompt',
      'GRUB looks for its configuration where it came from, and this build has no HTTP module inside: only TFTP',
    ),
  },
];

const uefiHttp: Groups = [
  {
    ...ovmf,
    name: 'uefi-http-ovmf',
    description: 'UEFI HTTP boot (client architecture 16)',
    set: 'bookworm',
    transport: 'http',
    payload: 'linux',
  },
  {
    ...aavmf,
    name: 'uefi-http-aavmf',
    description: 'UEFI HTTP boot (client architecture 19)',
    transport: 'http',
    payload: 'linux',
  },
  { ...ovmf, name: 'uefi-http-new-ovmf', set: 'forky', transport: 'http', tags: ['full'] },
  { ...aavmf, name: 'uefi-http-new-aavmf', set: 'forky', transport: 'http', tags: ['full'] },
  {
    ...ovmf,
    name: 'uefi-http-redirect',
    description: 'The NBP has moved: 302 to another name',
    transport: 'http',
    serve: { 'snponly.efi': { redirect: 'moved/snponly.efi' }, 'moved/snponly.efi': { text: 'never asked for' } },
    expect: stops(
      'nbp-fetch',
      'http-boot-error',
      'EDK II does not follow redirects: it takes the 302 for a failure to learn the size, and ends the boot option',
    ),
  },
  {
    ...ovmf,
    name: 'uefi-http-missing',
    transport: 'http',
    boot: [{ name: 'a name that is not served', file: 'http://{{server}}/not-there.efi' }],
    expect: stops('nbp-fetch', 'http-boot-error', 'the server answers 404'),
  },
  {
    ...aavmf,
    name: 'uefi-http-missing-arm',
    transport: 'http',
    boot: [{ name: 'a name that is not served', file: 'http://{{server}}/not-there.efi' }],
    expect: stops('nbp-fetch', 'http-boot-error', 'the server answers 404'),
  },
];

export const transports: Groups = [...mixed, ...uefiHttp];
