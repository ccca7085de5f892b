import { z } from 'zod';
import { fileIdentity } from '../../os/file-identity.ts';
import type { JsonCache } from '../../os/json-cache.ts';

export interface PackageIdentity {
  readonly name: string;
  readonly version: string;
  readonly sha256?: string | undefined;
}

/** Undefined: the program is not installed. Rejects where it failed. */
async function linesOf(program: string, args: readonly string[]): Promise<string[] | undefined> {
  // Loaded lazily: the answers are usually in the cache.
  const { execa } = await import('execa');
  const { stdout, failed, code, exitCode, shortMessage } = await execa(program, args, {
    reject: false,
    stdin: 'ignore',
    env: { LC_ALL: 'C' },
  });
  if (code === 'ENOENT') return undefined;
  // Both package managers exit 1 if any of the paths is unowned, but still answer for the rest.
  if (failed && exitCode !== 1) throw new Error(shortMessage);
  return stdout.split('\n').filter((line) => line !== '');
}

type Owners = ReadonlyMap<string, PackageIdentity>;

async function fromDpkg(paths: readonly string[]): Promise<Owners | undefined> {
  const lines = await linesOf('dpkg-query', ['-S', ...paths]);
  if (lines === undefined) return undefined;
  const owners = new Map<string, string>();
  for (const line of lines) {
    // "name[:arch][, name…]: /path"
    const split = line.indexOf(': /');
    const owner = line.slice(0, split).split(/[:,]/)[0];
    if (split > 0 && owner && !line.startsWith('diversion ')) owners.set(line.slice(split + 2), owner);
  }
  if (owners.size === 0) return new Map();
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
  const format = '${Package} ${Version}\\n';
  const versions = new Map<string, string>();
  for (const line of (await linesOf('dpkg-query', ['-W', '-f', format, ...new Set(owners.values())])) ?? []) {
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

async function fromRpm(paths: readonly string[]): Promise<Owners | undefined> {
  const found = new Map<string, PackageIdentity>();
  for (const path of paths) {
    const lines = await linesOf('rpm', ['-qf', '--qf', '%{NAME} %{VERSION}-%{RELEASE}\n', path]);
    if (lines === undefined) return undefined;
    const [name, version, ...rest] = lines[0]?.split(' ') ?? [];
    if (name && version && rest.length === 0) found.set(path, { name, version });
  }
  return found;
}

/** The package a file came from; null: none. */
export type Ownership = PackageIdentity | null;

export const ownershipSchema: z.ZodType<Ownership> = z.object({ name: z.string(), version: z.string() }).nullable();

/** Undefined: there is no package manager to ask. */
async function ask(paths: readonly string[]): Promise<Owners | undefined> {
  const byDpkg = await fromDpkg(paths);
  return byDpkg !== undefined && byDpkg.size > 0 ? byDpkg : ((await fromRpm(paths)) ?? byDpkg);
}

function* identitiesOf(paths: readonly string[]): Generator<{ path: string; identity: string }> {
  for (const path of new Set(paths)) {
    try {
      yield { path, identity: fileIdentity(path) };
    } catch {
      // A dangling link: no file, no package.
    }
  }
}

/**
 * Which package of this machine each file came from, by dpkg or rpm; unowned files are left out. Both replace a package's
 * files on upgrade, so an answer holds for as long as the file is the same one.
 */
export async function packagesOf(
  paths: readonly string[],
  cache: Pick<JsonCache<Ownership>, 'get' | 'set'>,
): Promise<Owners> {
  const files = [...identitiesOf(paths)];
  const unknown = files.filter(({ identity }) => cache.get(identity) === undefined);
  if (unknown.length > 0) {
    // A failed query is repeated next time.
    const found = await ask(unknown.map(({ path }) => path)).catch(() => undefined);
    if (found) for (const { path, identity } of unknown) cache.set(identity, found.get(path) ?? null);
  }
  return new Map(
    files.flatMap(({ path, identity }) => {
      const owner = cache.get(identity);
      return owner ? [[path, owner] as const] : [];
    }),
  );
}
