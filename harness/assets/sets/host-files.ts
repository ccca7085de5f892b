import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch } from '../../model/axes.ts';
import type { Manifest } from './set-manifest.ts';

type NbpEntry = Manifest['nbps'][number];
type KernelEntry = Manifest['kernels'][number];

/** Where distributions keep QEMU's NIC ROMs: Debian 12; Debian 13 and Fedora; Homebrew. The first hit wins. */
export const romFolders = [
  '/usr/lib/ipxe/qemu',
  '/usr/share/qemu',
  '/usr/share/ipxe/qemu',
  '/usr/local/share/qemu',
  '/opt/homebrew/share/qemu',
] as const;

/** The SeaBIOS that QEMU loads by default: Debian, Fedora, Homebrew. */
const seabiosFiles = [
  '/usr/share/seabios/bios-256k.bin',
  '/usr/share/qemu/bios-256k.bin',
  '/usr/share/seavgabios/bios-256k.bin',
  '/usr/local/share/qemu/bios-256k.bin',
  '/opt/homebrew/share/qemu/bios-256k.bin',
] as const;

interface NbpPlaces {
  readonly secondStage: NbpEntry['secondStage'];
  readonly arch: Arch;
  readonly bios?: true;
  readonly paths: readonly string[];
  readonly companions?: Readonly<Record<string, readonly string[]>>;
}

const installer = (arch: string) => `/usr/lib/debian-installer/images/12/${arch}/text/debian-installer/${arch}`;

/** Served names of companions are the ones that the NBP requests. */
const nbpPlaces: readonly NbpPlaces[] = [
  {
    secondStage: 'undionly',
    arch: 'x86_64',
    bios: true,
    paths: ['/usr/lib/ipxe/undionly.kpxe', '/usr/share/ipxe/undionly.kpxe'],
  },
  { secondStage: 'ipxe', arch: 'x86_64', bios: true, paths: ['/usr/lib/ipxe/ipxe.pxe', '/usr/share/ipxe/ipxe.pxe'] },
  {
    secondStage: 'snponly',
    arch: 'x86_64',
    paths: ['/usr/lib/ipxe/snponly.efi', '/usr/share/ipxe/snponly.efi', '/usr/share/ipxe/ipxe-snponly-x86_64.efi'],
  },
  {
    secondStage: 'ipxe',
    arch: 'x86_64',
    paths: ['/usr/lib/ipxe/ipxe.efi', '/boot/ipxe.efi', '/usr/share/ipxe/ipxe-x86_64.efi'],
  },
  {
    secondStage: 'snponly',
    arch: 'aarch64',
    paths: ['/usr/lib/ipxe/snponly-arm64.efi', '/usr/share/ipxe/arm64-efi/snponly.efi'],
  },
  {
    secondStage: 'ipxe',
    arch: 'aarch64',
    paths: ['/usr/lib/ipxe/ipxe-arm64.efi', '/boot/ipxe-arm64.efi', '/usr/share/ipxe/arm64-efi/ipxe.efi'],
  },
  {
    secondStage: 'shim-grub',
    arch: 'x86_64',
    paths: ['/usr/lib/shim/shimx64.efi.signed', `${installer('amd64')}/bootnetx64.efi`],
    companions: {
      'grubx64.efi': ['/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed', `${installer('amd64')}/grubx64.efi`],
    },
  },
  {
    secondStage: 'shim-grub',
    arch: 'aarch64',
    paths: ['/usr/lib/shim/shimaa64.efi.signed', `${installer('arm64')}/bootnetaa64.efi`],
    companions: {
      'grubaa64.efi': ['/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed', `${installer('arm64')}/grubaa64.efi`],
    },
  },
  {
    secondStage: 'grub',
    arch: 'x86_64',
    paths: ['/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed', `${installer('amd64')}/grubx64.efi`],
    companions: { 'grub/x86_64-efi/http.mod': ['/usr/lib/grub/x86_64-efi/http.mod'] },
  },
  {
    secondStage: 'grub',
    arch: 'aarch64',
    paths: ['/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed', `${installer('arm64')}/grubaa64.efi`],
    companions: { 'grub/arm64-efi/http.mod': ['/usr/lib/grub/arm64-efi/http.mod'] },
  },
  { secondStage: 'uki', arch: 'x86_64', paths: ['/usr/lib/systemd/boot/efi/linuxx64.efi.stub'] },
  { secondStage: 'uki', arch: 'aarch64', paths: ['/usr/lib/systemd/boot/efi/linuxaa64.efi.stub'] },
  {
    secondStage: 'pxelinux',
    arch: 'x86_64',
    bios: true,
    paths: ['/usr/lib/PXELINUX/pxelinux.0', '/usr/share/syslinux/pxelinux.0'],
    companions: { 'ldlinux.c32': ['/usr/lib/syslinux/modules/bios/ldlinux.c32', '/usr/share/syslinux/ldlinux.c32'] },
  },
  {
    secondStage: 'syslinux',
    arch: 'x86_64',
    paths: ['/usr/lib/SYSLINUX.EFI/efi64/syslinux.efi', '/usr/share/syslinux/efi64/syslinux.efi'],
    companions: {
      'ldlinux.e64': ['/usr/lib/syslinux/modules/efi64/ldlinux.e64', '/usr/share/syslinux/efi64/ldlinux.e64'],
    },
  },
];

async function firstFile(paths: readonly string[], root: string): Promise<string | undefined> {
  for (const path of paths) {
    const at = join(root, path);
    const found = await stat(at).catch(() => undefined);
    if (found?.isFile()) return at;
  }
  return undefined;
}

export async function findHostNbps(root = ''): Promise<NbpEntry[]> {
  const found: NbpEntry[] = [];
  for (const { secondStage, arch, bios = false, paths, companions = {} } of nbpPlaces) {
    const path = await firstFile(paths, root);
    const fetched: Record<string, string> = {};
    for (const [name, places] of Object.entries(companions)) {
      const companion = await firstFile(places, root);
      if (companion !== undefined) fetched[name] = companion;
    }
    if (path === undefined || Object.keys(fetched).length < Object.keys(companions).length) continue;
    found.push({ secondStage, arch, bios, path, companions: fetched });
  }
  return found;
}

export async function findHostKernels(root = ''): Promise<KernelEntry[]> {
  const found: KernelEntry[] = [];
  for (const [arch, debian] of [
    ['x86_64', 'amd64'],
    ['aarch64', 'arm64'],
  ] as const) {
    const kernel = await firstFile([`${installer(debian)}/linux`], root);
    const initrd = await firstFile([`${installer(debian)}/initrd.gz`], root);
    if (kernel !== undefined) found.push({ arch, kernel, ...(initrd === undefined ? {} : { initrd }) });
  }
  return found;
}

export function findHostSeabios(root = ''): Promise<string | undefined> {
  return firstFile(seabiosFiles, root);
}

/** ROM files under QEMU's names in a folder. */
export async function listRoms(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^(efi|pxe)-.+\.rom$/.test(name)).sort();
}
