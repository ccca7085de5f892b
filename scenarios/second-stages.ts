import type { MatrixInput } from 'netboot-harness';

type Groups = MatrixInput['groups'];

const seabios = { arch: 'x86_64', firmware: 'seabios', set: 'bookworm' } as const;
const ovmf = { arch: 'x86_64', firmware: 'ovmf', set: 'bookworm', nic: 'virtio-net-pci', rom: 'none' } as const;
const aavmf = { arch: 'aarch64', set: 'bookworm', nic: 'virtio-net-pci', rom: 'none' } as const;
/** bookworm has no iPXE for Arm. */
const withForkyIpxe = { ...aavmf, nbpSet: 'forky', secondStage: 'ipxe' } as const;

/** Every first stage to a Linux that tells from userspace that it runs: a kernel and an initrd of a kilobyte. */
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
    description: 'Configuration 1; undionly fetches through UNDI, which costs a change of processor mode per packet',
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
    description: "Configuration 6: snponly through the firmware's own driver; NBP by TFTP and kernel by HTTP in one",
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
    description: 'Configuration 6 on Arm; NBP by TFTP and kernel by HTTP in one',
    configuration: 6,
    ...withForkyIpxe,
    transport: ['tftp', { nbp: 'tftp', config: 'http', payload: 'http' }],
    payload: 'linux',
  },
];

/** 40 MB each, unpacked whole before the /init of a second initrd takes the place of the installer's own. */
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
    ...withForkyIpxe,
    transport: { nbp: 'tftp', config: 'tftp', payload: 'http' },
    payload: 'installer',
  },
];

/** The smallest NBP of own source, for where only the first stage matters. */
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
    description: 'shim asks for GRUB beside itself, GRUB for grub/grub.cfg; what neither finds on its way is normal',
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
    description: 'asks for pxelinux.cfg/01-MAC, then its address in hex shorter by a digit each time, then default',
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
        'UEFI PXE gives an NBP no load options, so the kernel has no command line: its stub has nothing to say, its console is a screen that this machine lacks, and on x86 it takes none from ACPI (SPCR) unasked; a unified kernel image brings its own',
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
        'UEFI PXE gives an NBP no load options, so the kernel finds its console by ACPI (SPCR), and neither initrd nor root= in its empty command line',
      reference: 'UEFI Specification 2.10, §24.3 (PXE Base Code); Linux Documentation/admin-guide/efi-stub.rst',
    },
  },
];

/** Second stages and payloads of Debian 12 and of forky's iPXE, to userspace wherever the loader can go there. */
export const secondStages: Groups = [...linux, ...installer, ...probe, ...loaders];
