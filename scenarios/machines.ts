import type { MatrixInput } from 'netboot-harness';
import { knownFacts } from 'netboot-harness/facts';
import { nothingToBoot } from './nics.ts';

const noDriver = 'the firmware has no driver for igb, and no package ships a ROM for it';

/** igb came with QEMU 8.0. */
const igb: MatrixInput['groups'] = [
  {
    name: 'bios-igb',
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    nic: 'igb',
    rom: 'none',
    qemu: 'qemu-10',
    expect: {
      stopsAt: 'dhcp',
      failure: 'seabios-no-boot',
      reason: `${knownFacts['seabios-boots-by-rom'].says}, and no package ships one for igb`,
    },
  },
  {
    name: 'uefi-igb',
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: 'igb',
    rom: 'none',
    secondStage: 'snponly',
    qemu: 'qemu-10',
    expect: { stopsAt: 'dhcp', failure: nothingToBoot, reason: noDriver },
  },
  {
    name: 'arm-igb',
    arch: 'aarch64',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: 'igb',
    rom: 'none',
    secondStage: 'ipxe',
    qemu: 'qemu-10',
    expect: { stopsAt: 'dhcp', failure: nothingToBoot, reason: noDriver },
  },
  {
    name: 'rom-of-igb',
    description: 'No package ships a ROM for igb',
    waitsFor: 'an option ROM for igb',
    arch: 'x86_64',
    firmware: ['seabios', 'ovmf'],
    nic: 'igb',
    rom: 'full',
    qemu: 'qemu-10',
  },
];

/** A dozen cells of other groups on another QEMU, for `netboot compare RUN --axis qemu=host..qemu-10`. */
const anotherQemu: MatrixInput['groups'] = [
  {
    name: 'qemu-10-bios',
    configuration: 2,
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    machine: 'pc',
    nic: ['e1000', 'pcnet', 'rtl8139', 'virtio-net-pci'],
    rom: 'bios',
    qemu: ['host', 'qemu-10'],
  },
  {
    name: 'qemu-10-uefi-rom',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: ['e1000', 'e1000e', 'vmxnet3'],
    rom: 'full',
    qemu: ['host', 'qemu-10'],
  },
  {
    name: 'qemu-10-uefi',
    configuration: 6,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: ['bookworm', 'forky'],
    nic: 'virtio-net-pci',
    rom: 'none',
    secondStage: 'snponly',
    qemu: ['host', 'qemu-10'],
  },
  {
    name: 'qemu-10-arm',
    configuration: 6,
    arch: 'aarch64',
    set: ['bookworm', 'trixie', 'forky'],
    nbpSet: 'forky',
    nic: 'virtio-net-pci',
    rom: 'none',
    secondStage: 'ipxe',
    qemu: ['host', 'qemu-10'],
  },
];

/** Machine settings that boots were reported to depend on. */
const settings: MatrixInput['groups'] = [
  {
    name: 'ipxe-1738',
    title: 'https://github.com/ipxe/ipxe/issues/1738: no NIC found by BIOS iPXE on q35 with 4 GiB; this build is older',
    configuration: 2,
    arch: 'x86_64',
    firmware: 'seabios',
    machine: 'q35',
    set: 'forky',
    nic: 'virtio-net-pci',
    rom: 'bundled',
    memoryMiB: 4096,
    virtio: 'modern',
    qemu: ['host', 'qemu-10'],
  },
  {
    name: 'edk2-6403',
    title: 'https://github.com/tianocore/edk2/pull/6403: no network boot with two serial ports, a random source or not',
    configuration: 6,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: ['trixie', 'forky'],
    nic: 'virtio-net-pci',
    rom: 'none',
    secondStage: 'snponly',
    serialPorts: 2,
  },
  {
    name: 'virtio-interfaces',
    description: 'The legacy virtio interface, the modern one, and both (transitional), under both firmwares',
    arch: 'x86_64',
    firmware: ['seabios', 'ovmf'],
    machine: 'q35',
    set: ['bookworm', 'forky'],
    nic: 'virtio-net-pci',
    rom: 'bundled',
    secondStage: ['none', 'snponly'],
    virtio: ['legacy', 'transitional', 'modern'],
    pairs: true,
    exclude: [
      {
        when: { firmware: 'ovmf', secondStage: 'none', set: 'forky' },
        reason: "forky's ROM is an SNP driver: it runs no script",
      },
    ],
  },
  {
    name: 'boot-nic',
    description: 'Two NICs, only one of them with a network: iPXE and EDK II follow the boot order',
    arch: 'x86_64',
    firmware: ['seabios', 'ovmf'],
    set: 'bookworm',
    nic: 'e1000',
    rom: 'bundled',
    bootNic: ['first-of-two', 'second-of-two'],
  },
];

/** Cells that test QEMU itself and the machine it provides. */
export const machines: MatrixInput['groups'] = [...igb, ...anotherQemu, ...settings];
