import { execa } from 'execa';

export interface PackageIdentity {
  readonly name: string;
  readonly version: string;
  readonly sha256?: string | undefined;
}

async function linesOf(program: string, args: readonly string[]): Promise<string[]> {
  // Both package managers exit 1 when one path of many is unowned, and still answer for the rest.
  const { stdout } = await execa(program, args, { reject: false, stdin: 'ignore', env: { LC_ALL: 'C' } });
  return typeof stdout === 'string' ? stdout.split('\n').filter((line) => line !== '') : [];
}

async function fromDpkg(paths: readonly string[]): Promise<Map<string, PackageIdentity>> {
  const owners = new Map<string, string>();
  for (const line of await linesOf('dpkg-query', ['-S', ...paths])) {
    // "name[:arch][, name…]: /path"
    const split = line.indexOf(': /');
    const owner = line.slice(0, split).split(/[:,]/)[0];
    if (split > 0 && owner && !line.startsWith('diversion ')) owners.set(line.slice(split + 2), owner);
  }
  if (owners.size === 0) return new Map();
  const versions = new Map<string, string>();
  for (const line of await linesOf('dpkg-query', [
    '-W',
    '-f',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
    '${Package} ${Version}\\n',
    ...new Set(owners.values()),
  ])) {
    const [name, version] = line.split(' ');
    if (name && version) versions.set(name, version);
  }
  const found = new Map<string, PackageIdentity>();
  for (const [path, name] of owners) {
    const version = versions.get(name);
    if (version !== undefined) found.set(path, { name, version });
  }
  return found;
}

async function fromRpm(paths: readonly string[]): Promise<Map<string, PackageIdentity>> {
  const found = new Map<string, PackageIdentity>();
  for (const path of paths) {
    const [line] = await linesOf('rpm', ['-qf', '--qf', '%{NAME} %{VERSION}-%{RELEASE}\n', path]);
    const [name, version, ...rest] = line?.split(' ') ?? [];
    if (name && version && rest.length === 0) found.set(path, { name, version });
  }
  return found;
}

/** Which package of this machine each file came from, by dpkg or rpm; files of neither are left out. */
export async function packagesOf(paths: readonly string[]): Promise<ReadonlyMap<string, PackageIdentity>> {
  if (paths.length === 0) return new Map();
  const found = await fromDpkg(paths);
  return found.size > 0 ? found : fromRpm(paths);
}
