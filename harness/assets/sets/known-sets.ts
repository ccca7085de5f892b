import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import { openFolderSet } from './folder-set.ts';
import { type ScanSources, setNameOf } from './scan.ts';
import { contentOfManifest, joinContents, type SetContent } from './set-content.ts';
import { type Manifest, manifestFile, readManifest } from './set-manifest.ts';

const hostName = 'host';

/** The sets that can be requested, and where each comes from. */
export interface KnownSets {
  /** `host` first. */
  readonly names: readonly string[];
  /** The user's own, by name. */
  readonly user: ReadonlyMap<string, Manifest>;
  /** Names of the user's own, by folder as given. */
  readonly nameOf: ReadonlyMap<string, string>;
  /** What could not be decided about folders without a manifest. */
  readonly remarks: readonly string[];
  /** Names of those in the cache folder. */
  readonly cached: readonly string[];
  readonly cacheDir: string | undefined;
  /** The host's code name, an alias of `host` unless another set has that name. */
  readonly codename: string | undefined;
}

/** Scanned sets are named like their folders; `1/bin` and `2/bin` are `1-bin` and `2-bin`. */
function nameOfScanned(directory: string, all: readonly string[]): string {
  const path = resolve(directory);
  const name = basename(path);
  const isAlone = all.filter((other) => basename(resolve(other)) === name).length === 1;
  return setNameOf(isAlone ? name : `${basename(dirname(path))}-${name}`);
}

async function openFolderSets(
  setDirs: readonly string[],
  sources: ScanSources,
): Promise<Pick<KnownSets, 'user' | 'nameOf' | 'remarks'>> {
  const manifests = new Map<string, Manifest>();
  const nameOf = new Map<string, string>();
  const remarks: string[] = [];
  for (const directory of setDirs) {
    const { manifest, remarks: own } = await openFolderSet(directory, nameOfScanned(directory, setDirs), sources);
    remarks.push(...own);
    nameOf.set(directory, manifest.name);
    if (manifest.name === hostName || manifests.has(manifest.name)) {
      throw new HarnessError('bad-set', `artefact set ${directory}: the name "${manifest.name}" is already taken`, {
        hint: `Give it another name in its ${manifestFile}, which \`netboot set scan ${directory} --write\` makes.`,
        details: { path: directory },
      });
    }
    manifests.set(manifest.name, manifest);
  }
  return { user: manifests, nameOf, remarks };
}

async function cachedNames(cacheDir: string | undefined): Promise<string[]> {
  if (cacheDir === undefined) return [];
  const folders = await readdir(join(cacheDir, 'sets')).catch(() => []);
  const names: string[] = [];
  for (const name of folders.sort()) {
    const found = await stat(join(cacheDir, 'sets', name, manifestFile)).catch(() => undefined);
    if (found?.isFile()) names.push(name);
  }
  return names;
}

function wrongBase({ names }: KnownSets, name: string, why: string): HarnessError {
  return new HarnessError('bad-set', `artefact set ${name}: extends: ${why}`, {
    hint: `Name an existing set (${names.join(', ')}), or leave the field out.`,
  });
}

/** Rejects with HarnessError `bad-set` for a broken manifest of the user's, or one that extends an unknown set. */
export async function findSets({
  cacheDir,
  setDirs,
  codename,
  sources,
}: {
  cacheDir: string | undefined;
  setDirs: readonly string[];
  codename: string | undefined;
  sources: ScanSources;
}): Promise<KnownSets> {
  const [folders, cached] = await Promise.all([openFolderSets(setDirs, sources), cachedNames(cacheDir)]);
  const { user } = folders;
  const names = [...new Set([hostName, ...(codename === undefined ? [] : [codename]), ...cached, ...user.keys()])];
  const known = { names, ...folders, cached, cacheDir, codename };
  for (const [name, { extends: base }] of user) {
    if (base !== undefined && !names.includes(base)) throw wrongBase(known, name, `no artefact set ${base} here`);
  }
  return known;
}

/** The manifest of a set, skipping the sets `above` that hide it; undefined: the host's. */
export async function manifestOf(
  known: KnownSets,
  name: string,
  above: readonly Manifest[] = [],
): Promise<Manifest | undefined> {
  const { user, cached, cacheDir, codename } = known;
  const own = user.get(name);
  if (own !== undefined && !above.includes(own)) return own;
  if (cacheDir !== undefined && cached.includes(name)) return readManifest(join(resolve(cacheDir), 'sets', name));
  if (own !== undefined && name !== codename) throw wrongBase(known, name, 'a set cannot extend itself');
  return undefined;
}

/** The content of a set, including what it extends. */
export async function contentOf(
  known: KnownSets,
  manifest: Manifest | undefined,
  hostContent: () => Promise<SetContent>,
  above: readonly Manifest[] = [],
): Promise<SetContent> {
  if (manifest === undefined) return hostContent();
  const content = await contentOfManifest(manifest);
  const { name, extends: base } = manifest;
  if (base === undefined) return content;
  if (above.length > known.names.length) throw wrongBase(known, name, 'a set cannot extend itself');
  const chain = [...above, manifest];
  return joinContents(content, await contentOf(known, await manifestOf(known, base, chain), hostContent, chain));
}
