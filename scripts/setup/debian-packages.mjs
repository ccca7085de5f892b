import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { SetUpError, say } from './checkout.mjs';
import { onPath } from './host.mjs';
import { withLock } from './lock.mjs';

/**
 * What must be installed on the machine. Without a `needed: false` row only the cells named in `why` do not run.
 * `programs` are looked for where there is no dpkg: any one of them will do.
 */
export const debianPackages = [
  { name: 'qemu-system-x86', needed: true, programs: ['qemu-system-x86_64'], why: 'x86_64 guests' },
  { name: 'qemu-system-arm', needed: true, programs: ['qemu-system-aarch64'], why: 'aarch64 guests' },
  { name: 'ovmf', needed: true, why: 'UEFI firmware for x86_64' },
  { name: 'qemu-efi-aarch64', needed: true, why: 'UEFI firmware for aarch64' },
  { name: 'seabios', needed: true, why: 'BIOS firmware for x86_64' },
  { name: 'ipxe-qemu', needed: true, why: "QEMU's bundled option ROMs" },
  { name: 'ipxe', needed: true, why: 'undionly.kpxe, snponly.efi and ipxe.efi' },
  { name: 'util-linux', needed: true, why: 'setpriv, which ends guests when the harness is killed' },
  { name: 'sbsigntool', needed: false, programs: ['sbsign'], why: 'Secure Boot cells with own keys' },
  {
    name: 'binutils-x86-64-linux-gnu',
    needed: false,
    programs: ['x86_64-linux-gnu-as', 'x86_64-elf-as'],
    why: 'x86_64 payloads',
  },
  {
    name: 'binutils-aarch64-linux-gnu',
    needed: false,
    programs: ['aarch64-linux-gnu-as', 'aarch64-elf-as'],
    why: 'aarch64 payloads',
  },
];

/** What `npm test` needs in addition. */
export const testPackages = [
  {
    name: 'chromium',
    needed: false,
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    why: "the tests of the report's page",
  },
];

const otherSystems = `  Fedora:   sudo dnf install qemu-system-x86-core qemu-system-aarch64-core edk2-ovmf edk2-aarch64 seabios-bin ipxe-roms-qemu \\
            ipxe-bootimgs-x86 ipxe-bootimgs-aarch64 sbsigntools binutils-x86_64-linux-gnu binutils-aarch64-linux-gnu
  Homebrew: brew install qemu x86_64-elf-binutils aarch64-elf-binutils`;

/** Installed packages by name, with version, from dpkg's own record. */
export function installedPackages(statusFile = '/var/lib/dpkg/status') {
  const versions = new Map();
  for (const paragraph of readFileSync(statusFile, 'utf8').split('\n\n')) {
    const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1];
    if (/^Status: \S+ \S+ installed$/m.test(paragraph)) versions.set(field('Package'), field('Version'));
  }
  return versions;
}

function missingOf(packages, host) {
  if (!host.hasApt) return packages.filter(({ programs }) => programs !== undefined && !programs.some(onPath));
  const installed = installedPackages();
  return packages.filter(({ name }) => !installed.has(name));
}

/** The message when packages cannot be installed. */
export function explainMissing(missing, cause) {
  const rows = missing.map(({ name, needed, why }) => `  ${name}: ${why}${needed ? '' : ' (optional)'}`);
  return [
    `${cause}. Missing:`,
    ...rows,
    'Install them with:',
    `  Debian:   sudo apt-get install --no-install-recommends ${missing.map(({ name }) => name).join(' ')}`,
    otherSystems,
  ].join('\n');
}

const haveLists = () => {
  try {
    return readdirSync('/var/lib/apt/lists').some((name) => /_Packages(\.\w+)?$/.test(name));
  } catch {
    return false;
  }
};

function apt(...args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return (
    spawnSync('apt-get', ['-qq', '-oDpkg::Use-Pty=0', ...args], { env, stdio: ['ignore', 'ignore', 2] }).status === 0
  );
}

function install(missing) {
  const names = missing.map(({ name }) => name);
  const once = () => apt('install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...names);
  // Old lists name versions that the mirror no longer has: update only then.
  return (haveLists() && once()) || (apt('update') && once());
}

/** Throws with exit code 3 if needed packages are missing; missing optional ones are only reported. */
function refuseWithout(missing, cause) {
  if (missing.some(({ needed }) => needed)) throw new SetUpError(explainMissing(missing, cause));
  for (const { name, why } of missing) say(`missing ${name}, needed for ${why}`);
}

/**
 * Installs missing packages if run as root, as in a container. Anyone else gets the commands: changing the machine is
 * their decision.
 */
export function installDebianPackages(host, packages = debianPackages) {
  const missing = missingOf(packages, host);
  if (missing.length === 0) return;
  if (!host.hasApt) return refuseWithout(missing, 'This system has no apt to install packages with');
  if (!host.isRoot) return refuseWithout(missing, 'Installing packages needs root');
  withLock(() => {
    say(`installing Debian packages: ${missing.map(({ name }) => name).join(' ')}`);
    // One unavailable package must not keep the others from being installed.
    if (!install(missing)) install(missing.filter(({ needed }) => needed));
    refuseWithout(missingOf(packages, host), 'apt-get failed');
  });
}
