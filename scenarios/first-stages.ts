import type { MatrixInput } from 'netboot-harness';
import { because } from 'netboot-harness/facts';
import { nothingToBoot, romNics, withoutVirtio } from './nics.ts';

/**
 * Firmware and bundled option ROMs of Debian 12, each path ending in an iPXE script: configurations 1, 2, 4 and 6,
 * and the same NICs without a ROM.
 */
export const firstStages: MatrixInput['groups'] = [
  {
    name: 'bios-ipxe-rom',
    tags: [{ tag: 'smoke', when: { machine: 'pc', nic: 'e1000' } }],
    description:
      "Configuration 2: SeaBIOS runs QEMU's bundled ROM, which is a full iPXE and goes straight to its script",
    configuration: 2,
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    machine: ['pc', 'q35'],
    nic: romNics,
    rom: 'bundled',
  },
  {
    name: 'bios-pxe-rom',
    tags: [{ tag: 'smoke', when: { nic: 'e1000' } }],
    title: "the bundled ROM stands in for a vendor's PXE ROM: the server treats it as a plain PXE client",
    description: 'Configuration 1: the ROM is given undionly.kpxe by TFTP, which then fetches its script',
    configuration: 1,
    standIn: true,
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    machine: 'pc',
    nic: romNics,
    rom: 'bundled',
    secondStage: 'undionly',
    expectations: [
      {
        when: { nic: 'vmxnet3' },
        expect: {
          stopsAt: 'nbp-dhcp',
          failure: 'offer-not-taken',
          ...because('ipxe-vmxnet3-no-interrupts'),
        },
      },
    ],
  },
  {
    name: 'uefi-ipxe-rom',
    tags: [{ tag: 'smoke', when: { nic: 'virtio-net-pci' } }],
    description: 'Configuration 4: the EFI image of the combined ROM is a full iPXE and boots the script by itself',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: romNics,
    rom: 'bundled',
    expectations: [
      {
        when: { nic: 'i82559er' },
        expect: {
          stopsAt: 'oprom',
          failure: nothingToBoot,
          reason:
            'by default QEMU loads pxe-eepro100.rom for the i8255x family: it has only a BIOS image, which UEFI ignores',
        },
      },
    ],
  },
  {
    name: 'uefi-no-rom',
    tags: [{ tag: 'smoke', when: { rom: 'none' } }],
    description: 'Configuration 6: no ROM; the firmware drives virtio-net itself and chain-loads snponly.efi',
    configuration: 6,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: 'virtio-net-pci',
    rom: ['none', 'rombar-off'],
    secondStage: 'snponly',
  },
  {
    name: 'bios-no-rom',
    tags: [{ tag: 'smoke', when: { nic: 'e1000' } }],
    description: 'SeaBIOS has no network boot of its own',
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    nic: romNics,
    rom: 'none',
    expect: {
      stopsAt: 'dhcp',
      failure: 'seabios-no-boot',
      ...because('seabios-boots-by-rom'),
    },
  },
  {
    name: 'uefi-no-driver',
    tags: [{ tag: 'smoke', when: { nic: 'e1000' } }],
    description: 'OVMF carries one NIC driver, VirtioNetDxe',
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: withoutVirtio,
    rom: 'none',
    secondStage: 'snponly',
    expect: {
      stopsAt: 'dhcp',
      failure: nothingToBoot,
      reason:
        'the firmware has no driver for this NIC and there is no ROM to bring one, so there is no network boot option',
    },
  },
  {
    name: 'arm-no-rom',
    tags: [{ tag: 'smoke', when: { nic: 'virtio-net-pci' } }],
    description: "Configuration 6 on Arm: AAVMF drives virtio-net itself and chain-loads forky's ipxe-arm64.efi",
    configuration: 6,
    arch: 'aarch64',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: ['virtio-net-pci', 'virtio-net-pci-transitional', 'virtio-net-device'],
    rom: 'none',
    secondStage: 'ipxe',
  },
  {
    name: 'arm-no-driver',
    description: 'AAVMF carries one NIC driver, VirtioNetDxe',
    arch: 'aarch64',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: withoutVirtio,
    rom: 'none',
    secondStage: 'ipxe',
    expect: {
      stopsAt: 'dhcp',
      failure: nothingToBoot,
      reason:
        'the firmware has no driver for this NIC and there is no ROM to bring one, so there is no network boot option',
    },
  },
];
