import { z } from 'zod';

export const archs = ['x86_64', 'aarch64'] as const;
export type Arch = (typeof archs)[number];

/**
 * Kernel arguments of every boot: the machine's first serial port, and on x86 no comparison of the timer with the CPU, by
 * which a guest that got too little of the host's CPU panics (Linux arch/x86/kernel/apic/io_apic.c, check_timer()).
 */
export const kernelArgsOf: Record<Arch, string> = {
  x86_64: 'console=ttyS0 no_timer_check',
  aarch64: 'console=ttyAMA0',
};

const firmwares = ['seabios', 'ovmf', 'aavmf'] as const;
export type Firmware = (typeof firmwares)[number];

/** What sits in (or is kept out of) the NIC's expansion ROM BAR. */
const romKinds = [
  'none',
  'rombar-off',
  'bundled',
  'bios',
  'full',
  'snp',
  'vendor-pxe',
  'vendor-snp',
  'combined',
  'foreign',
  'app',
] as const;
export type RomKind = (typeof romKinds)[number];

/** What the first stage downloads as its NBP; `none` when the ROM's own iPXE goes straight to its script. */
const secondStages = [
  'none',
  'undionly',
  'snponly',
  'ipxe',
  'shim-grub',
  'grub',
  'pxelinux',
  'syslinux',
  'linux',
  'uki',
  'probe',
] as const;
export type SecondStage = (typeof secondStages)[number];

/** Which second stage's stage rules apply; `custom` for a user's own file. */
const loaders = [...secondStages, 'custom'] as const;
export type Loader = (typeof loaders)[number];
/** The second stages that are iPXE. */
export const ipxeLoaders: readonly Loader[] = ['undionly', 'snponly', 'ipxe'];

/** How the platform firmware starts what it loads: by a boot sector's conventions, or as EFI images. */
const firmwareInterfaces = ['bios', 'uefi'] as const;
export type FirmwareInterface = (typeof firmwareInterfaces)[number];

const transports = ['tftp', 'http', 'https', 'nfs'] as const;
export type Transport = (typeof transports)[number];

/**
 * What proves the end of the boot: an iPXE script, a kernel with a tiny initrd, the installer's initrd, a bare NBP, a SAN
 * disk, or the machine's own disk once the network boot has given up.
 */
const payloads = ['script', 'linux', 'installer', 'probe', 'iscsi', 'disk'] as const;

const secureBoots = ['off', 'microsoft', 'snakeoil'] as const;
export type SecureBoot = (typeof secureBoots)[number];

const ipVersions = [4, 6] as const;

export const accels = ['tcg', 'kvm', 'hvf'] as const;
export type Accel = (typeof accels)[number];

/** The six configurations of DESIGN: firmware × option ROM × second stage. */
export const configurations = [1, 2, 3, 4, 5, 6] as const;
export type Configuration = (typeof configurations)[number];

export const archSchema = z.enum(archs);
export const firmwareSchema = z.enum(firmwares);
export const romKindSchema = z.enum(romKinds);
export const secondStageSchema = z.enum(secondStages);
export const loaderSchema = z.enum(loaders);
export const firmwareInterfaceSchema = z.enum(firmwareInterfaces);
export const transportSchema = z.enum(transports);
export const payloadSchema = z.enum(payloads);
export const secureBootSchema = z.enum(secureBoots);
export const ipVersionSchema = z.literal(ipVersions);
export type IpVersion = z.infer<typeof ipVersionSchema>;
export const configurationSchema = z.literal(configurations);
