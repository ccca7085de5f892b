import { readdir } from 'node:fs/promises';
import { execa } from 'execa';
import { HarnessError } from '../model/errors.ts';
import type { Machine } from './machine.ts';
import { installCommands, missingOf, type SystemPackage } from './system-packages.ts';

/** Each missing package with its purpose, and the commands that install them. */
export function explainMissing(missing: readonly SystemPackage[], { system }: Pick<Machine, 'system'>): string[] {
  const rows = missing.map(({ name, needed, why }) => `  ${name}: ${why}${needed ? '' : ' (optional)'}`);
  const commands = installCommands(missing, system).map((line) => `  ${line}`);
  return ['Missing:', ...rows, ...(commands.length === 0 ? [] : ['Install with:', ...commands])];
}

export interface InstallPackages {
  readonly machine: Machine;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

async function haveLists(): Promise<boolean> {
  const names = await readdir('/var/lib/apt/lists').catch(() => []);
  return names.some((name) => /_Packages(\.\w+)?$/.test(name));
}

async function apt(signal: AbortSignal, ...args: string[]): Promise<boolean> {
  const ended = await execa('apt-get', ['-qq', '-oDpkg::Use-Pty=0', ...args], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
    cancelSignal: signal,
    reject: false,
  });
  return !ended.failed;
}

async function aptInstall(missing: readonly SystemPackage[], signal: AbortSignal): Promise<boolean> {
  const names = missing.map(({ name }) => name);
  const once = () => apt(signal, 'install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...names);
  // Old lists name versions that the mirror no longer has: update only then.
  return ((await haveLists()) && (await once())) || ((await apt(signal, 'update')) && (await once()));
}

/** Missing optional packages are only reported. */
function refuseWithout(missing: readonly SystemPackage[], cause: string, { machine, say }: InstallPackages): void {
  if (missing.some(({ needed }) => needed)) {
    throw new HarnessError('missing-program', [cause, ...explainMissing(missing, machine)].join('\n'));
  }
  for (const { name, why } of missing) say(`missing ${name}, needed for ${why}`);
}

/**
 * Installs missing packages with apt if run as root, as in a container. Anyone else gets the commands: changing the
 * machine is their decision. Rejects with HarnessError `missing-program` if a needed one is missing afterwards.
 */
export async function installPackages(packages: readonly SystemPackage[], how: InstallPackages): Promise<void> {
  const { machine, say, signal } = how;
  const missing = missingOf(packages, machine);
  if (missing.length === 0) return;
  if (!machine.hasApt) return refuseWithout(missing, 'Packages are installed only with apt, and it is not here.', how);
  if (!machine.isRoot) return refuseWithout(missing, 'Installing packages needs root.', how);
  say(`installing packages: ${missing.map(({ name }) => name).join(' ')}`);
  // One unavailable package must not keep the others from being installed.
  if (!(await aptInstall(missing, signal))) {
    await aptInstall(
      missing.filter(({ needed }) => needed),
      signal,
    );
  }
  refuseWithout(missingOf(packages, machine), 'apt-get failed.', how);
}
