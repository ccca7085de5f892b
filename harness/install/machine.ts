import { readFileSync } from 'node:fs';
import { findProgram } from '../os/find-program.ts';

/** How packages are named and installed here. */
export type System = 'debian' | 'fedora' | 'arch' | 'macos' | 'other';

/** What installing needs to know about the machine it runs on. */
export interface Machine {
  readonly system: System;
  /** Debian itself rather than a derivative: its packages are those of the set of its code name. */
  readonly isDebian: boolean;
  /** Debian's code name, such as `bookworm`. */
  readonly codename: string | undefined;
  readonly hasApt: boolean;
  readonly isRoot: boolean;
}

/** Fields of os-release(5). */
function osRelease(): Map<string, string> {
  try {
    const found = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?(.*?)"?$/gm);
    return new Map([...found].map(([, name = '', value = '']) => [name, value]));
  } catch {
    return new Map();
  }
}

const linuxSystems: Readonly<Record<string, System>> = {
  debian: 'debian',
  ubuntu: 'debian',
  fedora: 'fedora',
  rhel: 'fedora',
  arch: 'arch',
};

export function inspectMachine(env: NodeJS.ProcessEnv = process.env): Machine {
  const release = osRelease();
  const ids = [release.get('ID') ?? '', ...(release.get('ID_LIKE') ?? '').split(' ')];
  const ofLinux = ids.flatMap((id) => linuxSystems[id] ?? [])[0] ?? 'other';
  const system = process.platform === 'darwin' ? 'macos' : ofLinux;
  return {
    system,
    isDebian: ids[0] === 'debian',
    codename: release.get('VERSION_CODENAME'),
    hasApt: system === 'debian' && findProgram('apt-get', env) !== undefined,
    isRoot: process.getuid?.() === 0,
  };
}
