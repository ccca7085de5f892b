import type { MatrixInput } from 'netboot-harness';
import { because, knownFacts } from 'netboot-harness/facts';
import { waits } from './bases.ts';
import { nothingToBoot } from './nics.ts';

const noRandomSource = {
  stopsAt: 'dhcp',
  failure: nothingToBoot,
  ...because('edk2-network-wants-random'),
} as const;

/** An autoexec script that opens the interface itself before it goes on. */
const autoexecWithDhcp = { text: '#!ipxe\ndhcp\nchain tftp://{{server}}/boot.ipxe || poweroff\n' };
/** The same without `dhcp`. */
const autoexecWithoutDhcp = { text: '#!ipxe\nchain tftp://{{server}}/boot.ipxe || poweroff\n' };

/** iPXE with its own drivers, loaded by the PXE of Arm firmware. */
const ipxeOverArmPxe = {
  configuration: 6,
  arch: 'aarch64',
  set: 'bookworm',
  nic: 'virtio-net-pci',
  rom: 'none',
  secondStage: 'ipxe',
} as const;

const option60Without43: NonNullable<MatrixInput['groups'][number]['boot']>[number]['options'] = [
  { code: 60, op: 'set', value: { ascii: 'PXEClient' } },
  { code: 43, op: 'withhold' },
];

/** Published bugs and traps, reproduced with the packaged artefacts; also reports that could not be reproduced here. */
export const knownTrouble: MatrixInput['groups'] = [
  {
    name: 'no-random-source',
    tags: [{ tag: 'smoke', when: { set: 'forky' } }],
    cold: true,
    title: 'firmware since 2024.05 offers no PXE on a machine without a random source',
    configuration: 6,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: ['bookworm', 'trixie', 'forky'],
    nic: 'virtio-net-pci',
    rom: 'none',
    secondStage: 'snponly',
    randomSource: false,
    expectations: [{ when: { set: ['trixie', 'forky'] }, expect: noRandomSource }],
  },
  {
    name: 'arm-no-random-source',
    cold: true,
    title: 'firmware since 2024.05 offers no PXE on a machine without a random source',
    configuration: 6,
    arch: 'aarch64',
    set: ['bookworm', 'trixie', 'forky'],
    nbpSet: 'forky',
    nic: 'virtio-net-pci',
    rom: 'none',
    secondStage: 'ipxe',
    randomSource: false,
    expectations: [{ when: { set: ['trixie', 'forky'] }, expect: noRandomSource }],
  },
  {
    name: 'no-random-source-ipxe-rom',
    cold: true,
    title: 'a full iPXE in the ROM has its own network stack, and boots where the newer firmware offers no PXE',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'forky',
    nic: 'e1000',
    rom: { kind: 'full', set: 'bookworm' },
    randomSource: false,
  },
  {
    name: 'efi-rom-on-bios',
    title: 'SeaBIOS ignores a ROM without a BIOS image',
    arch: 'x86_64',
    firmware: 'seabios',
    set: 'bookworm',
    nic: 'virtio-net-pci',
    rom: ['vendor-snp', 'foreign'],
    expect: {
      stopsAt: 'dhcp',
      failure: 'seabios-no-boot',
      ...because('seabios-boots-by-rom'),
      reason: `${knownFacts['seabios-boots-by-rom'].says}, and finds only EFI images`,
    },
  },
  {
    name: 'option-60-without-43',
    title: 'OVMF takes option 60 without 43 to mean a boot server on port 4011: only what that answers can boot',
    configuration: 6,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: 'virtio-net-pci',
    rom: 'none',
    secondStage: 'snponly',
    boot: [
      { name: 'second stage → script', when: { userClass: 'iPXE', served: ['snponly.efi'] }, file: 'boot.ipxe' },
      {
        name: 'asked on port 4011 → NBP',
        when: { port: 4011 },
        file: 'snponly.efi',
        options: option60Without43,
      },
      {
        name: 'first stage → option 60 without 43, and a file that is not there',
        file: 'not-asked-on-4011.efi',
        options: option60Without43,
      },
    ],
  },
  {
    name: 'ipxe-after-ipxe-rom',
    title: 'reported to find no NIC, because the full iPXE of the ROM holds it; with these builds it finds one',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nic: ['e1000', 'virtio-net-pci'],
    rom: 'bundled',
    secondStage: 'ipxe',
  },
  {
    name: 'ipxe-after-newer-snp-rom',
    title: 'iPXE with its own drivers takes the NIC over from the SNP driver of the ROM',
    configuration: 5,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'forky',
    nic: 'e1000',
    rom: 'snp',
    secondStage: 'ipxe',
  },
  {
    name: 'arm-ipxe-after-app-rom',
    cold: true,
    title: 'an iPXE application in the ROM cannot chain-load another one',
    configuration: 4,
    arch: 'aarch64',
    machine: 'virt,acpi=off',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: ['virtio-net-pci', 'e1000'],
    rom: { kind: 'app', set: 'forky' },
    secondStage: 'ipxe',
    expect: {
      stopsAt: 'nbp',
      failure: { rule: 'uefi-exception', says: '^Synchronous Exception at 0x000000004' },
      reason:
        'started during PCI enumeration, the second iPXE requests its autoexec.ipxe and then takes a synchronous exception',
    },
  },
  {
    name: 'uefi-ipxe-after-app-rom',
    cold: true,
    title: 'an iPXE application in the ROM cannot chain-load another one',
    configuration: 4,
    arch: 'x86_64',
    firmware: 'ovmf',
    set: 'bookworm',
    nbpSet: 'forky',
    nic: 'e1000',
    rom: { kind: 'app', set: 'forky' },
    secondStage: 'ipxe',
    tags: ['full'],
    expect: {
      stopsAt: 'nbp',
      failure: { rule: 'ipxe-error', says: 'ipxe.org/7f048287' },
      reason:
        'the iPXE of the ROM runs during PCI enumeration, when the firmware refuses to start an image for it (iPXE error 7f048287)',
    },
  },
  {
    name: 'autoexec',
    title: 'an autoexec.ipxe that runs dhcp again works with every build',
    ...ipxeOverArmPxe,
    nbpSet: 'trixie',
    serve: { 'autoexec.ipxe': autoexecWithDhcp },
  },
  {
    name: 'autoexec-without-dhcp',
    title: "trixie's iPXE, loaded by the firmware's PXE, transmits nothing after its autoexec.ipxe until `dhcp` is run",
    ...ipxeOverArmPxe,
    nbpSet: 'trixie',
    serve: { 'autoexec.ipxe': autoexecWithoutDhcp },
    stagePath: ['firmware', 'dhcp', 'nbp-fetch', 'nbp', 'config'],
    ...waits,
    expect: {
      stopsAt: 'config',
      failure: { rule: 'nothing-sent', says: '^tftp://10.0.2.2/boot.ipxe.*ipxe.org/4c126092' },
      reason:
        'the script is fetched and run, and the address of the first stage is still configured, but no frame of the next request leaves the guest: it times out (iPXE error 4c126092)',
    },
  },
  {
    name: 'autoexec-without-dhcp-newer',
    title: "forky's iPXE continues with the address of the first stage",
    ...ipxeOverArmPxe,
    nbpSet: 'forky',
    serve: { 'autoexec.ipxe': autoexecWithoutDhcp },
    stagePath: ['firmware', 'dhcp', 'nbp-fetch', 'nbp', 'config'],
  },
];
