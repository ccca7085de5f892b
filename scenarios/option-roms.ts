import type { MatrixInput } from 'netboot-harness';
import { because, knownFacts } from 'netboot-harness/facts';
import { nothingToBoot, relatives, romNics, withoutVirtio } from './nics.ts';

/** PCI NICs that an iPXE with all drivers supports, with or without a bundled ROM. */
const ipxeNics = [...romNics, 'tulip'];
const withoutI8255x = romNics.filter((nic) => nic !== 'i82559er');

/** Those of them that iPXE drives only by port I/O. */
const portIoNics = ['ne2k_pci', 'pcnet', 'i82559er', 'tulip'];

const noSuchDriver = {
  stopsAt: 'dhcp' as const,
  failure: nothingToBoot,
};

const interruptStub = {
  stopsAt: 'nbp-dhcp',
  failure: 'offer-not-taken',
  ...because('ipxe-vmxnet3-no-interrupts'),
} as const;

const stalledReceiver = {
  stopsAt: 'nbp-fetch',
  failure: { rule: 'tftp-stalled', says: '^linux-x64.efi: ' },
  ...because('ipxe-eepro100-stalls'),
} as const;

const noNe2000 = {
  stopsAt: 'oprom',
  failure: 'bds-nothing',
  ...because('ipxe2-without-ne2000'),
  reason: `${knownFacts['ipxe2-without-ne2000'].says}. The application finds no NIC and returns, and there is nothing to boot`,
} as const;

const returnsToFreedDriver = {
  stopsAt: 'oprom',
  failure: { rule: 'uefi-exception', says: '^Synchronous Exception at 0x000000000000000[04]$' },
  reason:
    'iPXE has no port I/O on Arm (every port reads as all ones) and, in version 2, no driver for NE2000 cards: the application finds no NIC and returns to the firmware, whose Dhcp6Dxe it has unloaded in the meantime. AAVMF, which was offering the PCI root bridge to its drivers in turn, still has that driver in its list, and calls into freed memory',
  reference: 'https://github.com/ipxe/ipxe/blob/v2.0.0/src/interface/efi/efi_veto.c',
} as const;

/** Legacy BIOS: which image of which build SeaBIOS runs, and how it is served. */
const bios: MatrixInput['groups'] = [
  {
    name: 'bios-rom-builds',
    cold: true,
    description:
      "Configuration 2 with newer SeaBIOS and iPXE: the combined ROM's BIOS image is a full iPXE in every build",
    configuration: 2,
    arch: 'x86_64',
    firmware: 'seabios',
    set: ['trixie', 'forky'],
    nic: romNics,
    rom: 'bundled',
  },
  {
    name: 'bios-rom-kinds',
    cold: true,
    title: "an explicit ROM file gets this NIC's ids, as QEMU patches its default ROMs: SeaBIOS compares them",
    description: 'Configuration 2 with only the BIOS image, and with a combined ROM made for this',
    configuration: 2,
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    nic: ['ne2k_pci', 'virtio-net-pci'],
    rom: ['bios', 'full', 'combined'],
  },
  {
    name: 'bios-vendor-pxe',
    title: "where a set has no vendor's ROM, iPXE's BIOS ROM stands in and is served as a plain PXE client",
    description: 'Configuration 1 with the builds of each set',
    configuration: 1,
    standIn: true,
    arch: 'x86_64',
    firmware: 'seabios',
    set: ['trixie', 'forky'],
    nic: withoutI8255x.filter((nic) => nic !== 'vmxnet3'),
    rom: 'vendor-pxe',
    secondStage: 'undionly',
  },
  {
    name: 'bios-vendor-pxe-all',
    title: "where a set has no vendor's ROM, iPXE's BIOS ROM stands in and is served as a plain PXE client",
    description: 'Configuration 1, the full product',
    configuration: 1,
    standIn: true,
    arch: 'x86_64',
    firmware: 'seabios',
    set: ['bookworm', 'trixie', 'forky'],
    nic: ['vmxnet3', 'i82559er', ...relatives],
    rom: 'vendor-pxe',
    secondStage: 'undionly',
    tags: ['full'],
    expectations: [{ when: { nic: 'vmxnet3' }, expect: interruptStub }],
  },
];

/** UEFI on x86: configurations 3, 4 and 5, and unsuitable images. */
const uefi: MatrixInput['groups'] = [
  {
    name: 'uefi-full-rom',
    description: "Configuration 4 where the combined ROM is not QEMU's default, and with a combined ROM made for this",
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: 'i82559er',
    rom: ['full', 'combined'],
  },
  {
    name: 'uefi-full-rom-all',
    description: 'Configuration 4, the full product',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    machine: ['pc', 'q35'],
    nic: romNics,
    rom: ['full', 'combined'],
    tags: ['full'],
    exclude: [{ when: { nic: 'i82559er', machine: 'q35' }, reason: 'runs in group uefi-full-rom' }],
  },
  {
    name: 'uefi-snp-rom',
    tags: [{ tag: 'smoke', when: { nic: 'e1000' } }],
    description:
      'Configuration 5: iPXE cut down to an SNP driver; the firmware has DHCP and TFTP, and snponly.efi follows',
    configuration: 5,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'forky',
    nic: withoutI8255x,
    rom: 'snp',
    secondStage: 'snponly',
  },
  {
    name: 'uefi-snp-rom-i8255x',
    description: 'With an NBP of 8 MB: one of 200 kB sometimes gets through before the receiver stalls',
    configuration: 5,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'forky',
    nic: 'i82559er',
    rom: 'snp',
    nbpSet: 'bookworm',
    secondStage: 'linux',
    payload: 'linux',
    expect: stalledReceiver,
  },
  {
    name: 'uefi-snp-rom-builds',
    cold: true,
    description: "Configuration 5 with trixie's firmware and iPXE, and with a combined ROM made for this",
    configuration: 5,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'trixie',
    nic: ['e1000', 'virtio-net-pci'],
    rom: ['snp', 'combined'],
    secondStage: 'snponly',
  },
  {
    name: 'uefi-snp-rom-all',
    description: 'Configuration 5, the full product',
    configuration: 5,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: ['trixie', 'forky'],
    nic: [...romNics, ...relatives.filter((nic) => !nic.startsWith('i82'))],
    rom: ['bundled', 'combined'],
    secondStage: 'snponly',
    tags: ['full'],
    exclude: [
      {
        when: { nic: 'i82559er' },
        reason: "QEMU's default is the BIOS ROM; group uefi-snp-rom-i8255x has the combined one",
      },
      {
        when: { set: 'trixie', nic: ['e1000', 'virtio-net-pci'], rom: 'combined' },
        reason: 'runs in group uefi-snp-rom-builds',
      },
    ],
  },
  {
    name: 'uefi-vendor-snp',
    tags: [{ tag: 'smoke', when: { set: 'bookworm' } }],
    title: "the firmware's own VirtioNetDxe, extracted and put into the ROM, stands in for a vendor's driver",
    description: "Configuration 3: an SNP driver in the ROM, the firmware's DHCP and TFTP, then snponly.efi",
    configuration: 3,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: ['bookworm', 'trixie', 'forky'],
    nic: 'virtio-net-pci',
    rom: 'vendor-snp',
    secondStage: 'snponly',
  },
  {
    name: 'uefi-vendor-snp-others',
    description: "Configuration 3 for other NICs: no package ships a vendor's driver",
    waitsFor: "an option ROM with a vendor's SNP driver for the NIC",
    configuration: 3,
    arch: 'x86_64',
    firmware: 'ovmf',
    nic: withoutVirtio,
    rom: 'vendor-snp',
    secondStage: 'snponly',
  },
  {
    name: 'uefi-app-rom',
    cold: true,
    title:
      'the application runs during PCI enumeration, before there is a console: the evidence is on the wire and in the kernel',
    description: 'Configuration 4 by an iPXE application wrapped as a ROM, with its own drivers',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: 'e1000',
    rom: { kind: 'app', set: 'forky' },
    payload: 'linux',
  },
  {
    name: 'uefi-app-rom-all',
    cold: true,
    title:
      'the application runs during PCI enumeration, before there is a console: the evidence is on the wire and in the kernel',
    description: 'Configuration 4 by an iPXE application wrapped as a ROM, the full product',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: ['bookworm', 'forky'],
    nic: ipxeNics,
    rom: 'app',
    payload: 'linux',
    tags: ['full'],
    expectations: [{ when: { set: 'forky', nic: 'ne2k_pci' }, expect: noNe2000 }],
  },
  {
    name: 'uefi-unsuitable-rom',
    cold: true,
    description: 'An image for Arm, and one for BIOS: OVMF silently ignores both, and drives virtio-net itself',
    configuration: 6,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: 'virtio-net-pci',
    rom: ['foreign', 'bios'],
    secondStage: 'snponly',
  },
  {
    name: 'uefi-unsuitable-rom-no-driver',
    cold: true,
    description: 'The same on a NIC that OVMF has no driver for',
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: 'e1000',
    rom: ['foreign', 'bios'],
    secondStage: 'snponly',
    expect: { ...noSuchDriver, reason: 'OVMF runs neither BIOS images nor Arm ones, and has no driver for e1000' },
  },
];

const armApplication = {
  title:
    'the application runs during PCI enumeration, without a console; a kernel started from there has one only without ACPI',
  configuration: 4,
  arch: 'aarch64',
  machine: 'virt,acpi=off',
  payload: 'linux',
} as const;

/** Measured with ROMs of iPXE 0ab2277c4, on AAVMF 2022.11: the other five NICs boot from both kinds. */
const withoutPortIo = {
  when: { nic: ['ne2k_pci', 'pcnet', 'i82559er'] },
  expect: {
    stopsAt: 'oprom',
    failure: nothingToBoot,
    ...because('ipxe-no-port-io-on-arm'),
  },
} satisfies NonNullable<MatrixInput['groups'][number]['expectations']>[number];

/** Arm: Debian ships no ROMs for it, so these are made here, or provided by a user's set. */
const arm: MatrixInput['groups'] = [
  {
    name: 'arm-vendor-snp',
    title: "the firmware's own VirtioNetDxe, extracted and put into the ROM, stands in for a vendor's driver",
    description: 'Configuration 3 on Arm',
    configuration: 3,
    arch: 'aarch64',
    set: ['bookworm', 'trixie', 'forky'],
    nbpSet: 'forky',
    nic: 'virtio-net-pci',
    rom: 'vendor-snp',
    secondStage: 'ipxe',
  },
  {
    name: 'arm-app-rom',
    cold: true,
    description: 'Configuration 4 on Arm: ipxe-arm64.efi wrapped as a ROM, with its own drivers',
    ...armApplication,
    set: 'bookworm',
    nic: ['virtio-net-pci', 'e1000'],
    rom: { kind: 'app', set: 'forky' },
  },
  {
    name: 'arm-app-rom-all',
    cold: true,
    description: 'Configuration 4 on Arm, every NIC that iPXE has a driver for',
    ...armApplication,
    set: 'forky',
    nic: ipxeNics,
    rom: 'app',
    tags: ['full'],
    expectations: [{ when: { nic: portIoNics }, expect: returnsToFreedDriver }],
  },
  {
    name: 'arm-unsuitable-rom',
    cold: true,
    description: "An x86 driver, and QEMU's own x86 ROM, in an Arm machine: AAVMF has no x86 emulator and ignores both",
    configuration: 6,
    arch: 'aarch64',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: 'virtio-net-pci',
    rom: ['foreign', 'bundled'],
    secondStage: 'ipxe',
  },
  {
    name: 'arm-unsuitable-rom-no-driver',
    cold: true,
    description: 'The same on a NIC that AAVMF has no driver for',
    arch: 'aarch64',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: 'e1000',
    rom: ['foreign', 'bundled'],
    secondStage: 'ipxe',
    expect: { ...noSuchDriver, reason: 'the image is for x86, and AAVMF has no driver for e1000' },
  },
  {
    name: 'arm-full-rom',
    description: 'Configuration 4 from ROM files: no package ships iPXE ROMs for Arm',
    waitsFor: 'an iPXE ROM for aarch64',
    configuration: 4,
    arch: 'aarch64',
    nic: romNics,
    rom: 'full',
    expectations: [withoutPortIo],
  },
  {
    name: 'arm-snp-rom',
    description: 'Configuration 5 from ROM files: no package ships iPXE ROMs for Arm',
    waitsFor: 'an SNP-only iPXE ROM for aarch64',
    configuration: 5,
    arch: 'aarch64',
    nbpSet: 'forky',
    nic: romNics,
    rom: 'snp',
    secondStage: 'ipxe',
    expectations: [withoutPortIo],
  },
];

/** The firmware's own driver, in each build. */
const builds: MatrixInput['groups'] = [
  {
    name: 'uefi-builds',
    cold: true,
    description: "Configuration 6 with each set's firmware and iPXE",
    configuration: 6,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: ['trixie', 'forky'],
    nic: 'virtio-net-pci',
    rom: 'none',
    secondStage: 'snponly',
  },
  {
    name: 'arm-builds',
    cold: true,
    description: "Configuration 6 on Arm with each set's firmware and iPXE",
    configuration: 6,
    arch: 'aarch64',
    set: ['trixie', 'forky'],
    nic: 'virtio-net-pci',
    rom: 'none',
    secondStage: 'ipxe',
  },
];

export const optionRoms: MatrixInput['groups'] = [...bios, ...uefi, ...arm, ...builds];
