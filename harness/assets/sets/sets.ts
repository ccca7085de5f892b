import { join } from 'node:path';
import type { Arch } from '../../model/axes.ts';
import { openJsonCache } from '../../os/json-cache.ts';
import { oncePerKey } from '../../os/once-per-key.ts';
import { createFingerprints, type Fingerprints } from '../fingerprint.ts';
import { createInspections, type Inspections } from '../inspections.ts';
import type { ArtefactSet, FoundKernel, Missing } from './artefact-set.ts';
import { buildSet } from './build-set.ts';
import { findHostSeabios } from './host-files.ts';
import { findHostContent, type HostRoot, hostCodename } from './host-set.ts';
import { contentOf, findSets, type KnownSets, manifestOf } from './known-sets.ts';
import { type MadeFiles, openMadeFiles } from './made-files.ts';
import { ownershipSchema } from './packages.ts';
import { filesOf, type SetContent } from './set-content.ts';

export interface LoadSetsOptions {
  /** Holds `sets/<name>/set.json`. */
  readonly cacheDir: string | undefined;
  /** Where the payloads are; default: this package's own. */
  readonly payloadsDir?: string | undefined;
  /** Folders with a `set.json`, or with files to inspect; they take precedence over the cache's sets of the same name. */
  readonly setDirs: readonly string[];
  readonly host?: HostRoot;
  /** Identify files. */
  readonly inspections?: Pick<Inspections, 'of'>;
  readonly fingerprints?: Pick<Fingerprints, 'of'>;
}

export interface ArtefactSets extends MadeFiles, Pick<KnownSets, 'nameOf' | 'remarks'> {
  /** Names of all available sets, `host` first. */
  readonly names: readonly string[];
  /** Rejects with HarnessError `bad-set` for a broken manifest. */
  get(name: string): Promise<ArtefactSet | Missing>;
  /** Any kernel for a boot that does not test the kernel: from that set, else from another. */
  kernel(arch: Arch, preferredSet: string): Promise<FoundKernel | Missing>;
  /** Paths of the files of all sets; sets that cannot be read are skipped. */
  files(): Promise<string[]>;
  /** Paths of the files that the host's QEMU loads by itself: its option ROMs and SeaBIOS. */
  ofQemu(): Promise<string[]>;
}

/** The content of the host's packages and QEMU's SeaBIOS, each located on first use. */
function openHostFiles(host: HostRoot, cacheDir: string | undefined) {
  const owners = openJsonCache({
    file: cacheDir === undefined ? undefined : join(cacheDir, 'packages.json'),
    version: 1,
    schema: ownershipSchema,
  });
  const once = oncePerKey<SetContent>();
  const content = () => once('content', () => findHostContent(host, owners));
  return {
    content,
    async builtInSeabios() {
      const path = await findHostSeabios(host.root);
      return path === undefined ? undefined : { path, package: (await content()).packageOf(path) };
    },
  };
}

/**
 * The available artefact sets: the live one of this machine (`host`, and its code name where the cache has no set of that
 * name), the cache's, and the user's own. Rejects with HarnessError `bad-set` for a broken manifest of the user's.
 */
export async function loadSets({
  cacheDir,
  payloadsDir,
  setDirs,
  host = { env: process.env, root: '' },
  fingerprints = createFingerprints(),
  inspections = createInspections({ fingerprints }),
}: LoadSetsOptions): Promise<ArtefactSets> {
  const known = await findSets({
    cacheDir,
    setDirs,
    codename: await hostCodename(host),
    sources: { inspections, fingerprints },
  });
  const hostFiles = openHostFiles(host, cacheDir);
  const made = await openMadeFiles(cacheDir, host.env, payloadsDir);
  const once = oncePerKey<ArtefactSet>();

  async function load(name: string): Promise<ArtefactSet> {
    const manifest = await manifestOf(known, name);
    return buildSet({
      name,
      description: manifest?.description,
      content: await contentOf(known, manifest, hostFiles.content),
      builtInSeabios: await hostFiles.builtInSeabios(),
      cacheDir,
      payload: made.payload,
      inspections,
    });
  }

  async function get(name: string): Promise<ArtefactSet | Missing> {
    const { names } = known;
    if (!names.includes(name)) {
      const available = `(available: ${names.join(', ')}; \`netboot install\` fetches those of Debian)`;
      return { missing: `no artefact set ${name} here ${available}` };
    }
    return once(name, () => load(name));
  }

  return {
    ...made,
    names: known.names,
    nameOf: known.nameOf,
    remarks: known.remarks,
    get,
    async files() {
      const contents = known.names.map(async (name) =>
        filesOf(await contentOf(known, await manifestOf(known, name), hostFiles.content)),
      );
      const settled = await Promise.allSettled(contents);
      return [...new Set(settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])))];
    },
    async ofQemu() {
      const { bundled } = await hostFiles.content();
      const seabios = await hostFiles.builtInSeabios();
      return [...bundled.values(), ...(seabios ? [seabios.path] : [])];
    },
    async kernel(arch, preferredSet) {
      for (const name of [preferredSet, ...known.names]) {
        const set = await get(name);
        const kernel = 'missing' in set ? set : set.kernel(arch);
        if (!('missing' in kernel)) return kernel;
      }
      return { missing: `no kernel for ${arch} in any set; \`netboot install\` fetches those of Debian` };
    },
  };
}
