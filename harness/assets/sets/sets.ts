import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Arch } from '../../model/axes.ts';
import { HarnessError } from '../../model/errors.ts';
import { openJsonCache } from '../../os/json-cache.ts';
import { signWithSnakeoil } from '../derive/snakeoil.ts';
import type { Uki, UkiParts } from '../derive/uki.ts';
import { createFingerprints, type Fingerprints } from '../fingerprint.ts';
import { createInspections, type Inspections } from '../inspections.ts';
import type { ArtefactSet, FoundKernel, Missing } from './artefact-set.ts';
import { buildSet } from './build-set.ts';
import { findHostSeabios } from './host-files.ts';
import { findHostContent, type Host, hostCodename } from './host-set.ts';
import { ownershipSchema } from './packages.ts';
import { contentOfManifest, joinContents, type SetContent } from './set-content.ts';
import { type Manifest, manifestFile, readManifest } from './set-manifest.ts';

export interface LoadSetsOptions {
  /** Holds `sets/<name>/set.json` and `payloads/`. */
  readonly cacheDir: string | undefined;
  /** Folders with a `set.json` of their own; they go before the cache's sets of the same name. */
  readonly setDirs: readonly string[];
  readonly host?: Host;
  /** Tell what bundled ROMs are. */
  readonly inspections?: Pick<Inspections, 'of'>;
}

export interface ArtefactSets {
  /** Names of every set that can be asked for, `host` first. */
  readonly names: readonly string[];
  /** Rejects with HarnessError `bad-set` for a broken manifest. */
  get(name: string): Promise<ArtefactSet | Missing>;
  /** Any kernel will do for a boot whose kernel is not what is under test: of that set, else of another. */
  kernel(arch: Arch, preferredSet: string): Promise<FoundKernel | Missing>;
  /** A payload built at set-up: `linux-initrd-x86_64.cpio.gz`, `probe-x86_64.efi`, `probe-bios.0`, … */
  payload(name: string): Promise<{ readonly path: string } | Missing>;
  /** A program unpacked at set-up, such as `tgt`, below `root` as it would be below `/`. */
  program(name: string): Promise<{ readonly root: string } | Missing>;
  /** An EFI image signed with the snakeoil key that the variable store `vars` has enrolled. */
  signed(path: string, vars: string, fingerprints: Fingerprints): Promise<{ readonly path: string } | Missing>;
  /** A kernel, its initrds and its command line in one EFI image. */
  uki(parts: UkiParts, fingerprints: Fingerprints): Promise<Uki | Missing>;
}

const hostName = 'host';

async function userManifests(setDirs: readonly string[]): Promise<Map<string, Manifest>> {
  const manifests = new Map<string, Manifest>();
  for (const directory of setDirs) {
    const manifest = await readManifest(resolve(directory));
    const file = join(directory, manifestFile);
    if (manifest.name === hostName || manifests.has(manifest.name)) {
      throw new HarnessError('bad-set', `artefact set ${file}: name: "${manifest.name}" is taken already`, {
        hint: 'give the set a name of its own',
        details: { path: file },
      });
    }
    manifests.set(manifest.name, manifest);
  }
  return manifests;
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

async function cachedPayloads(cacheDir: string | undefined): Promise<ReadonlyMap<string, string>> {
  if (cacheDir === undefined) return new Map();
  const folder = join(cacheDir, 'payloads');
  const names = await readdir(folder).catch(() => []);
  return new Map(names.map((name) => [name, join(folder, name)]));
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * The artefact sets at hand: the live one of this machine (`host`, and its code name where the cache has no set of that
 * name), the cache's, and the user's own. Rejects with HarnessError `bad-set` for a broken user's manifest.
 */
export async function loadSets({
  cacheDir,
  setDirs,
  host = { env: process.env, root: '' },
  inspections = createInspections({ fingerprints: createFingerprints() }),
}: LoadSetsOptions): Promise<ArtefactSets> {
  const [user, cached, codename, payloads] = await Promise.all([
    userManifests(setDirs),
    cachedNames(cacheDir),
    hostCodename(host),
    cachedPayloads(cacheDir),
  ]);
  const owners = openJsonCache({
    file: cacheDir === undefined ? undefined : join(cacheDir, 'packages.json'),
    version: 1,
    schema: ownershipSchema,
  });
  const hostContent = once(() => findHostContent(host, owners));
  const builtInSeabios = once(async () => {
    const path = await findHostSeabios(host.root);
    return path === undefined ? undefined : { path, package: (await hostContent()).packageOf(path) };
  });
  const names = new Set([hostName, ...(codename === undefined ? [] : [codename]), ...cached, ...user.keys()]);

  const payload = (name: string): { readonly path: string } | Missing => {
    const path = payloads.get(name);
    return path === undefined ? { missing: `no payload ${name} has been built: run npm run setup` } : { path };
  };

  const wrongBase = (name: string, why: string) =>
    new HarnessError('bad-set', `artefact set ${name}: extends: ${why}`, {
      hint: `name a set to add to (there are: ${[...names].join(', ')}), or leave the field out`,
    });
  for (const [name, { extends: base }] of user) {
    if (base !== undefined && !names.has(base)) throw wrongBase(name, `no artefact set ${base} here`);
  }

  /** The manifest of a set, or of the one that the sets `above` hide; undefined: what the host has. */
  async function manifestOf(name: string, above: readonly Manifest[] = []): Promise<Manifest | undefined> {
    const own = user.get(name);
    if (own !== undefined && !above.includes(own)) return own;
    if (cacheDir !== undefined && cached.includes(name)) return readManifest(join(resolve(cacheDir), 'sets', name));
    if (own !== undefined && name !== codename) throw wrongBase(name, 'it extends itself');
    return undefined;
  }

  async function contentOf(manifest: Manifest | undefined, above: readonly Manifest[] = []): Promise<SetContent> {
    if (manifest === undefined) return hostContent();
    const content = await contentOfManifest(manifest);
    const { name, extends: base } = manifest;
    if (base === undefined) return content;
    if (above.length > names.size) throw wrongBase(name, 'it extends itself');
    const chain = [...above, manifest];
    return joinContents(content, await contentOf(await manifestOf(base, chain), chain));
  }

  async function load(name: string): Promise<ArtefactSet> {
    const manifest = await manifestOf(name);
    const content = await contentOf(manifest);
    const description = manifest?.description;
    return buildSet({
      name,
      description,
      content,
      builtInSeabios: await builtInSeabios(),
      cacheDir,
      payload,
      inspections,
    });
  }

  const loaded = new Map<string, Promise<ArtefactSet>>();
  async function get(name: string): Promise<ArtefactSet | Missing> {
    if (!names.has(name)) return { missing: `no artefact set ${name} here (there are: ${[...names].join(', ')})` };
    const set = loaded.get(name) ?? load(name);
    loaded.set(name, set);
    return set;
  }

  return {
    names: [...names],
    get,
    async kernel(arch, preferredSet) {
      for (const name of [preferredSet, ...names]) {
        const set = await get(name);
        const kernel = 'missing' in set ? set : set.kernel(arch);
        if (!('missing' in kernel)) return kernel;
      }
      return { missing: `no kernel for ${arch} in any set: run npm run setup` };
    },
    payload: async (name) => payload(name),
    async program(name) {
      const root = join(resolve(cacheDir ?? '.'), 'programs', name, 'root');
      const there = cacheDir !== undefined && (await stat(root).catch(() => undefined))?.isDirectory();
      return there ? { root } : { missing: `the program ${name} is not here: run npm run setup` };
    },
    async signed(path, vars, fingerprints) {
      if (cacheDir === undefined) return { missing: 'signed images are kept in a cache folder, and there is none' };
      return signWithSnakeoil(path, vars, { cacheDir: resolve(cacheDir), fingerprints });
    },
    async uki(parts, fingerprints) {
      if (cacheDir === undefined) return { missing: 'unified images are kept in a cache folder, and there is none' };
      const { makeUki } = await import('../derive/uki.ts');
      return makeUki(parts, { cacheDir: resolve(cacheDir), fingerprints });
    },
  };
}
