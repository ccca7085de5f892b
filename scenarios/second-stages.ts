import type { MatrixInput } from 'netboot-harness';
import { aavmf, aavmfThenIpxe, ovmf } from './bases.ts';

type Groups = MatrixInput['groups'];

const seabios = { arch: 'x86_64', firmware: 'seabios', set: 'bookworm' } as const;

/** Every first stage to a Linux that reports from userspace: a kernel and an initrd of a kilobyte. */
const linux: Groups = [
  {
    name: 'linux-bios-rom',
    description: "Configuration 2: the ROM's iPXE fetches kernel and initrd",
    configuration: 2,
    ...seabios,
    nic: 'e1000',
    rom: 'bundled',
    transport: ['tftp', 'http'],
    payload: 'linux',
  },
  {
    name: 'linux-bios-undi',
    description: 'Configuration 1; undionly fetches through UNDI, which costs a CPU mode switch per packet',
    configuration: 1,
    standIn: true,
    ...seabios,
    nic: 'e1000',
    rom: 'bundled',
    secondStage: 'undionly',
    payload: 'linux',
  },
  {
    name: 'linux-uefi-snp',
    description: "Configuration 6: snponly through the firmware's own driver; all by TFTP, or the kernel by HTTP",
    configuration: 6,
    ...ovmf,
    secondStage: 'snponly',
    transport: ['tftp', { nbp: 'tftp', config: 'http', payload: 'http' }],
    payload: 'linux',
  },
  {
    name: 'linux-uefi-rom',
    description: "Configuration 4: the ROM's iPXE fetches kernel and initrd",
    configuration: 4,
    ...ovmf,
    nic: 'e1000',
    rom: 'bundled',
    transport: ['tftp', 'http'],
    payload: 'linux',
  },
  {
    name: 'linux-arm',
    tags: [{ tag: 'smoke', when: { transport: { nbp: 'tftp', config: 'http', payload: 'http' } } }],
    description: 'Configuration 6 on Arm; all by TFTP, or the kernel by HTTP',
    configuration: 6,
    ...aavmfThenIpxe,
    transport: ['tftp', { nbp: 'tftp', config: 'http', payload: 'http' }],
    payload: 'linux',
  },
];

/** 40 MB each, fully unpacked before the /init of a second initrd replaces the installer's own. */
const installer: Groups = [
  {
    name: 'installer-bios',
    configuration: 2,
    ...seabios,
    nic: 'e1000',
    rom: 'bundled',
    transport: { config: 'tftp', payload: 'http' },
    payload: 'installer',
  },
  {
    name: 'installer-arm',
    configuration: 6,
    ...aavmfThenIpxe,
    transport: { nbp: 'tftp', config: 'tftp', payload: 'http' },
    payload: 'installer',
  },
];

/** Our own smallest NBP, where only the first stage matters. */
const probe: Groups = [
  {
    name: 'probe-bios',
    configuration: 1,
    standIn: true,
    ...seabios,
    nic: 'e1000',
    rom: 'bundled',
    secondStage: 'probe',
    payload: 'probe',
  },
  { name: 'probe-uefi', configuration: 6, ...ovmf, secondStage: 'probe', payload: 'probe' },
  { name: 'probe-arm', configuration: 6, ...aavmf, secondStage: 'probe', payload: 'probe' },
];

/** Loaders other than iPXE, each with its own search for a configuration. */
const loaders: Groups = [
  {
    name: 'shim-grub-uefi',
    tags: ['smoke'],
    description:
      'shim requests GRUB from its own folder, GRUB grub/grub.cfg; other names not found on the way are normal',
    configuration: 6,
    ...ovmf,
    secondStage: 'shim-grub',
    payload: 'linux',
  },
  {
    name: 'shim-grub-arm',
    configuration: 6,
    ...aavmf,
    secondStage: 'shim-grub',
    payload: 'linux',
  },
  { name: 'grub-uefi', configuration: 6, ...ovmf, secondStage: 'grub', payload: 'linux' },
  {
    name: 'grub-arm',
    configuration: 6,
    ...aavmf,
    secondStage: 'grub',
    payload: 'linux',
  },
  {
    name: 'grub-http-uefi',
    description: 'GRUB fetches its http module by TFTP, and by HTTP its menu, the kernel and the initrd',
    configuration: 6,
    ...ovmf,
    secondStage: 'grub',
    transport: { nbp: 'tftp', config: 'http', payload: 'http' },
    payload: 'linux',
  },
  {
    name: 'grub-http-arm',
    configuration: 6,
    ...aavmf,
    secondStage: 'grub',
    transport: { nbp: 'tftp', config: 'http', payload: 'http' },
    payload: 'linux',
  },
  {
    name: 'pxelinux',
    tags: ['smoke'],
    description: 'requests pxelinux.cfg/01-MAC, then its address in hex with one digit fewer each time, then default',
    configuration: 1,
    standIn: true,
    ...seabios,
    nic: 'virtio-net-pci',
    rom: 'bundled',
    secondStage: 'pxelinux',
    payload: 'linux',
  },
  { name: 'syslinux-uefi', configuration: 6, ...ovmf, secondStage: 'syslinux', payload: 'linux' },
  {
    name: 'uki-uefi',
    title: 'a unified kernel image as the NBP',
    description:
      "Kernel, initrd and command line in one EFI image, on systemd-boot's stub: by PXE and by UEFI HTTP boot",
    configuration: 6,
    ...ovmf,
    secondStage: 'uki',
    transport: ['tftp', 'http'],
    payload: 'linux',
  },
  {
    name: 'uki-arm',
    tags: [{ tag: 'smoke', when: { transport: 'http' } }],
    title: 'a unified kernel image as the NBP',
    configuration: 6,
    ...aavmf,
    secondStage: 'uki',
    transport: ['tftp', 'http'],
    payload: 'linux',
  },
  {
    name: 'kernel-uefi',
    title: 'a kernel with an EFI stub as the NBP',
    description:
      "The firmware's PXE client passes no load options, and without console= an x86 kernel has no console here",
    configuration: 6,
    ...ovmf,
    secondStage: 'linux',
    payload: 'linux',
    deadlines: { stageMs: { nbp: 8_000 } },
    expect: {
      stopsAt: 'nbp',
      failure: { rule: 'deadline', says: '^no nbp stage within .* with the guest at work' },
      reason:
        'UEFI PXE gives an NBP no load options, so the kernel has no command line: its stub prints nothing, its console is a display that this machine lacks, and on x86 it does not use the ACPI SPCR console by default; a unified kernel image brings its own command line',
      reference:
        'UEFI Specification 2.10, §24.3 (PXE Base Code); Linux arch/x86/kernel/acpi/boot.c (acpi_parse_spcr), Documentation/admin-guide/efi-stub.rst',
    },
  },
  {
    name: 'kernel-arm',
    title: 'a kernel with an EFI stub as the NBP',
    configuration: 6,
    ...aavmf,
    secondStage: 'linux',
    payload: 'linux',
    expect: {
      stopsAt: 'userspace',
      failure: { rule: 'kernel-panic', says: 'Unable to mount root fs on unknown-block' },
      reason:
        'UEFI PXE gives an NBP no load options, so the kernel finds its console by ACPI (SPCR), but neither initrd nor root= in its empty command line',
      reference: 'UEFI Specification 2.10, §24.3 (PXE Base Code); Linux Documentation/admin-guide/efi-stub.rst',
    },
  },
];

/** Second stages and payloads of Debian 12 and of forky's iPXE, to userspace wherever the loader can boot Linux. */
export const secondStages: Groups = [...linux, ...installer, ...probe, ...loaders];
