import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../os/find-program.ts';
import { packageRoot } from '../os/package-root.ts';
import type { Machine, System } from './machine.ts';

/** A package of the operating system that running cases needs. */
export interface SystemPackage {
  /** Debian's and Ubuntu's name. */
  readonly name: string;
  /** Without one that is not needed, only the cells named in `why` do not run. */
  readonly needed: boolean;
  readonly why: string;
  /** Looked for where there is no dpkg: any one of them will do. Absent: nothing can be looked for. */
  readonly programs?: readonly string[];
  /** Names elsewhere; absent where it comes with another one, or does not exist. */
  readonly fedora?: string;
  readonly arch?: string;
  readonly macos?: string;
}

/** What running cases needs. */
export const runPackages: readonly SystemPackage[] = [
  {
    name: 'qemu-system-x86',
    needed: true,
    why: 'x86_64 guests',
    programs: ['qemu-system-x86_64'],
    fedora: 'qemu-system-x86-core',
    arch: 'qemu-system-x86',
    macos: 'qemu',
  },
  {
    name: 'qemu-system-arm',
    needed: true,
    why: 'aarch64 guests',
    programs: ['qemu-system-aarch64'],
    fedora: 'qemu-system-aarch64-core',
    arch: 'qemu-system-aarch64',
    macos: 'qemu',
  },
  { name: 'ovmf', needed: true, why: 'UEFI firmware for x86_64', fedora: 'edk2-ovmf', arch: 'edk2-ovmf' },
  {
    name: 'qemu-efi-aarch64',
    needed: true,
    why: 'UEFI firmware for aarch64',
    fedora: 'edk2-aarch64',
    arch: 'edk2-aarch64',
  },
  { name: 'seabios', needed: true, why: 'BIOS firmware for x86_64', fedora: 'seabios-bin', arch: 'seabios' },
  { name: 'ipxe-qemu', needed: true, why: "QEMU's bundled option ROMs", fedora: 'ipxe-roms-qemu' },
  {
    name: 'ipxe',
    needed: true,
    why: 'undionly.kpxe, snponly.efi and ipxe.efi',
    fedora: 'ipxe-bootimgs-x86 ipxe-bootimgs-aarch64',
    arch: 'ipxe',
  },
  { name: 'util-linux', needed: true, why: 'setpriv, which ends guests when the harness is killed' },
  {
    name: 'sbsigntool',
    needed: false,
    why: 'Secure Boot cells with own keys',
    programs: ['sbsign'],
    fedora: 'sbsigntools',
    arch: 'sbsigntools',
  },
];

/** What a checkout needs in addition; the package as published has its payloads built. */
const checkoutPackages: readonly SystemPackage[] = [
  {
    name: 'binutils-x86-64-linux-gnu',
    needed: false,
    why: 'x86_64 payloads',
    programs: ['x86_64-linux-gnu-as', 'x86_64-elf-as'],
    fedora: 'binutils-x86_64-linux-gnu',
    arch: 'binutils',
    macos: 'x86_64-elf-binutils',
  },
  {
    name: 'binutils-aarch64-linux-gnu',
    needed: false,
    why: 'aarch64 payloads',
    programs: ['aarch64-linux-gnu-as', 'aarch64-elf-as'],
    fedora: 'binutils-aarch64-linux-gnu',
    arch: 'aarch64-linux-gnu-binutils',
    macos: 'aarch64-elf-binutils',
  },
];

/** What is needed by a checkout, or by an installed package. */
export const packagesHere = (): readonly SystemPackage[] =>
  existsSync(join(packageRoot(), 'scripts/payloads')) ? [...runPackages, ...checkoutPackages] : runPackages;

/** What `npm test` needs in addition. */
export const testPackages: readonly SystemPackage[] = [
  {
    name: 'chromium',
    needed: false,
    why: "the tests of the report's page",
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    fedora: 'chromium',
    arch: 'chromium',
  },
];

/** Installed packages by name, with version, from dpkg's own record; empty where there is none. */
export function installedPackages(statusFile = '/var/lib/dpkg/status'): Map<string, string> {
  const versions = new Map<string, string>();
  for (const paragraph of readOrNothing(statusFile).split('\n\n')) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
    if (/^Status: \S+ \S+ installed$/m.test(paragraph)) versions.set(field('Package'), field('Version'));
  }
  return versions;
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** What this machine lacks: by dpkg's record, or elsewhere by the programs on PATH. */
export function missingOf(
  packages: readonly SystemPackage[],
  { system }: Pick<Machine, 'system'>,
  installed = installedPackages(),
): SystemPackage[] {
  if (system === 'debian') return packages.filter(({ name }) => !installed.has(name));
  return packages.filter(
    ({ programs }) => programs !== undefined && !programs.some((program) => findProgram(program) !== undefined),
  );
}

const installers: Readonly<Record<Exclude<System, 'other'>, { title: string; command: string }>> = {
  debian: { title: 'Debian, Ubuntu', command: 'sudo apt-get install --no-install-recommends' },
  fedora: { title: 'Fedora', command: 'sudo dnf install' },
  arch: { title: 'Arch', command: 'sudo pacman -S --needed' },
  macos: { title: 'macOS', command: 'brew install' },
};
const knownSystems = Object.keys(installers) as (keyof typeof installers)[];

/** The command that installs packages on a system; on an unknown one, those of all others. */
export function installCommands(packages: readonly SystemPackage[], system: System): string[] {
  return (system === 'other' ? knownSystems : [system]).flatMap((one) => {
    const { title, command } = installers[one];
    const names = packages.map((row) => (one === 'debian' ? row.name : row[one]));
    const known = [...new Set(names.filter((name) => name !== undefined))];
    return known.length === 0 ? [] : [`${title}: ${command} ${known.join(' ')}`];
  });
}
