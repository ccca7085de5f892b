import type { MatrixInput } from 'netboot-harness';
import { knownFacts } from 'netboot-harness/facts';

/** NICs for which QEMU bundles an option ROM: the classic ones, and one for the whole i8255x family. */
export const romNics = ['e1000', 'e1000e', 'ne2k_pci', 'pcnet', 'rtl8139', 'virtio-net-pci', 'vmxnet3', 'i82559er'];
export const withoutVirtio = romNics.filter((nic) => nic !== 'virtio-net-pci');

/** Relatives of those, driven by the same ROM under other PCI ids. */
const e1000Relatives = ['e1000-82544gc', 'e1000-82545em'];
const virtioRelatives = ['virtio-net-pci-transitional', 'virtio-net-pci-non-transitional'];
const i8255xRelatives = [
  'i82550',
  'i82551',
  'i82557a',
  'i82557b',
  'i82557c',
  'i82558a',
  'i82558b',
  'i82559a',
  'i82559b',
  'i82559c',
  'i82562',
  'i82801',
];
export const relatives = [...e1000Relatives, ...virtioRelatives, ...i8255xRelatives];

/** NICs for which no package ships a ROM. */
export const nicsWithoutRom = ['tulip'];

type Group = MatrixInput['groups'][number];
type Stop = Extract<NonNullable<Group['expect']>, { stopsAt: unknown }>;

/** EDK II ends in its shell when no boot option worked; builds without a shell, and busy hosts, end with the message. */
export const nothingToBoot: Stop['failure'] = ['uefi-shell', 'bds-nothing'];

/** Every NIC that has its own cells. */
const known = [...romNics, ...relatives, ...nicsWithoutRom, 'igb', 'usb-net', 'ne2k_isa', 'virtio-net-device'];

const unknownToFirmware = {
  description: 'every other NIC that this QEMU offers: those of a newer QEMU appear here automatically',
  set: 'bookworm',
  nic: 'offered',
  rom: 'none',
  exclude: [{ when: { nic: known }, reason: 'this NIC has cells of its own' }],
  expect: {
    stopsAt: 'dhcp',
    failure: nothingToBoot,
    reason: "the firmware's only NIC driver is VirtioNetDxe, and the NIC has no ROM with another",
  },
} satisfies Partial<Group>;

/** The rest of what QEMU offers: NICs that use a relative's ROM, and NICs for which there is no ROM. */
export const otherNics: MatrixInput['groups'] = [
  {
    name: 'bios-relatives',
    description: "Configuration 2 on the relatives: QEMU patches the bundled ROM's ids to match",
    configuration: 2,
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    nic: relatives,
    rom: 'bundled',
  },
  {
    name: 'uefi-relatives',
    description: 'Configuration 4 on the relatives; UEFI does not compare the ids of a ROM with those of its device',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: relatives,
    rom: 'full',
    tags: ['full'],
  },
  {
    name: 'uefi-virtio-relatives',
    description: 'Configuration 6: VirtioNetDxe supports the legacy and the modern interface',
    configuration: 6,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: virtioRelatives,
    rom: 'none',
    secondStage: 'snponly',
  },
  {
    name: 'arm-virtio-modern',
    description: 'Configuration 6 with the modern interface only',
    configuration: 6,
    arch: 'aarch64',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: 'virtio-net-pci-non-transitional',
    rom: 'none',
    secondStage: 'ipxe',
  },
  {
    name: 'bios-other-nics',
    description: 'NICs for which there is no ROM, under SeaBIOS',
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    nic: [...nicsWithoutRom, 'usb-net', 'rocker', 'pvrdma', 'ne2k_isa'],
    rom: 'none',
    exclude: [
      {
        when: { nic: 'ne2k_isa' },
        reason: 'ne2k_isa is an ISA card: QEMU gives it no ROM BAR, and SeaBIOS has no driver',
      },
    ],
    expect: {
      stopsAt: 'dhcp',
      failure: 'seabios-no-boot',
      reason: `${knownFacts['seabios-boots-by-rom'].says}, and no package ships one for this NIC`,
    },
  },
  {
    name: 'uefi-other-nics',
    description: 'NICs for which there is no ROM, under OVMF',
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: [...nicsWithoutRom, 'usb-net', 'rocker', 'pvrdma'],
    rom: 'none',
    secondStage: 'snponly',
    expect: {
      stopsAt: 'dhcp',
      failure: nothingToBoot,
      reason: 'the firmware has no driver for this NIC, and no package ships a ROM for it',
    },
  },
  {
    name: 'arm-other-nics',
    description: 'NICs for which there is no ROM, under AAVMF',
    arch: 'aarch64',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: [...nicsWithoutRom, 'usb-net', 'rocker', 'pvrdma'],
    rom: 'none',
    secondStage: 'ipxe',
    expect: {
      stopsAt: 'dhcp',
      failure: nothingToBoot,
      reason: 'the firmware has no driver for this NIC, and no package ships a ROM for it',
    },
  },
  { name: 'uefi-offered', ...unknownToFirmware, arch: 'x86_64', firmware: 'ovmf', secondStage: 'snponly' },
  { name: 'arm-offered', ...unknownToFirmware, arch: 'aarch64', nbpSet: 'forky', secondStage: 'ipxe' },
  {
    name: 'rom-of-other-nics',
    description: 'No package ships a ROM for these NICs',
    waitsFor: 'an option ROM for the NIC',
    arch: 'x86_64',
    firmware: ['seabios', 'ovmf'],
    nic: nicsWithoutRom,
    rom: 'full',
  },
];
