import type { MatrixInput } from 'netboot-harness';

type Groups = MatrixInput['groups'];
type Stop = NonNullable<Groups[number]['expectations']>[number];
type Fetches = Pick<Groups[number], 'transport' | 'payload' | 'ipVersion' | 'tags'>;

const tftpThenHttp = { nbp: 'tftp', config: 'http', payload: 'http' } as const;
const httpThenTftp = { nbp: 'http', config: 'tftp', payload: 'tftp' } as const;

const everyNbpFetch: Fetches = { transport: ['tftp', 'http'], payload: 'linux', ipVersion: [4, 6], tags: ['full'] };
const everyFetch: Fetches = { ...everyNbpFetch, transport: ['tftp', 'http', tftpThenHttp, httpThenTftp] };

const ovmf = { arch: 'x86_64', firmware: 'ovmf', set: 'bookworm', nic: 'virtio-net-pci', rom: 'none' } as const;
const aavmf = { arch: 'aarch64', set: 'bookworm', nic: 'virtio-net-pci', rom: 'none' } as const;
const seabios = {
  arch: 'x86_64',
  firmware: 'seabios',
  set: 'bookworm',
  nic: 'virtio-net-pci',
  rom: 'bundled',
} as const;

const inDefault = 'every fetch over IPv4 is in the default matrix';

const loadedByHttp: Stop = {
  when: { secondStage: ['shim-grub', 'grub'], transport: ['http', httpThenTftp] },
  expect: {
    stopsAt: 'config',
    failure: 'grub-prompt',
    reason:
      'GRUB looks for its configuration where it was loaded from, and its image contains no HTTP module: it can fetch only by TFTP',
  },
};

const signedWithoutHttp: Stop = {
  when: { secondStage: 'shim-grub', transport: tftpThenHttp },
  expect: {
    stopsAt: 'config',
    failure: 'grub-prompt',
    reason:
      "Debian's signed network GRUB contains no HTTP module, and none is served with it, since Secure Boot would refuse it",
  },
};

const withoutPxe: Stop = {
  when: { secondStage: 'syslinux', transport: ['http', httpThenTftp] },
  expect: {
    stopsAt: 'nbp',
    failure: 'syslinux-no-root',
    reason:
      'syslinux.efi fetches through the PXE protocol of the device it was loaded from, and HTTP boot leaves none there: it finds no root device and returns',
  },
};

const crashesInStub: Stop = {
  when: { secondStage: 'grub', ipVersion: 6, transport: ['tftp', tftpThenHttp] },
  expect: {
    stopsAt: 'kernel',
    failure: { rule: 'uefi-exception', says: '^Synchronous Exception at 0x000000004' },
    reason:
      "AAVMF 2022.11 crashes in the kernel's EFI stub, always at the same address, if the GRUB of grub-efi-arm64-bin was booted over IPv6 (with the signed GRUB behind shim it does not); a release build names no image",
  },
};

/** Every loader by every mix of TFTP and HTTP, over IPv4 and IPv6, to Linux userspace. */
export const products: Groups = [
  {
    name: 'product-ipxe-uefi',
    configuration: 6,
    ...ovmf,
    secondStage: ['snponly', 'ipxe'],
    ...everyFetch,
    exclude: [{ when: { secondStage: 'snponly', ipVersion: 4 }, reason: inDefault }],
  },
  {
    name: 'product-ipxe-arm',
    configuration: 6,
    ...aavmf,
    nbpSet: 'forky',
    secondStage: 'ipxe',
    ...everyFetch,
    exclude: [{ when: { ipVersion: 4 }, reason: inDefault }],
  },
  {
    name: 'product-loaders-uefi',
    configuration: 6,
    ...ovmf,
    secondStage: ['shim-grub', 'grub', 'syslinux'],
    ...everyFetch,
    expectations: [loadedByHttp, signedWithoutHttp, withoutPxe],
  },
  {
    name: 'product-loaders-arm',
    configuration: 6,
    ...aavmf,
    secondStage: ['shim-grub', 'grub'],
    ...everyFetch,
    expectations: [loadedByHttp, signedWithoutHttp, crashesInStub],
  },
  {
    name: 'product-uki-uefi',
    configuration: 6,
    ...ovmf,
    secondStage: 'uki',
    ...everyNbpFetch,
    exclude: [{ when: { ipVersion: 4 }, reason: inDefault }],
  },
  {
    name: 'product-uki-arm',
    configuration: 6,
    ...aavmf,
    secondStage: 'uki',
    ...everyNbpFetch,
    exclude: [{ when: { ipVersion: 4 }, reason: inDefault }],
  },
  {
    name: 'product-bios-rom',
    configuration: 2,
    ...seabios,
    ...everyFetch,
    exclude: [{ when: { ipVersion: 4 }, reason: inDefault }],
  },
  {
    name: 'product-undionly',
    configuration: 1,
    standIn: true,
    ...seabios,
    secondStage: 'undionly',
    ...everyFetch,
    payload: 'script',
  },
];
