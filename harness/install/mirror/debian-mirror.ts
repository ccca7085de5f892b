import { createReadStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { oncePerKey } from '../../os/once-per-key.ts';
import { type FetchedPackage, type PackageSource, unfetchable } from '../package-source.ts';
import { hostArch } from '../set-recipes.ts';
import { unxzWhole } from '../unxz.ts';
import { downloadSigned, type SignedFile } from './download.ts';
import { debianKeys, openRelease, type Release } from './release.ts';
import { parseStanzas, type Stanza } from './stanzas.ts';

export interface MirrorOptions {
  /** The folder with `dists/` and `pool/`. */
  readonly uri: string;
  /** Where indexes are kept, for as long as the source is used. */
  readonly work: string;
  readonly allowExpired: boolean;
  /** Armoured public keys instead of Debian's. */
  readonly keys?: string;
  readonly signal: AbortSignal;
}

interface Listed extends SignedFile {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** Below the mirror. */
  readonly path: string;
}

/** bookworm's main has 50 MB. */
const maxIndexBytes = 512 << 20;
const maxPackageBytes = 1 << 30;
const archs = ['amd64', 'arm64'] as const;

const decompressors: readonly { suffix: string; decompress(file: string): Promise<Buffer> }[] = [
  { suffix: '.xz', decompress: (file) => unxzWhole(createReadStream(file), maxIndexBytes) },
  {
    suffix: '.gz',
    decompress: async (file) => promisify(gunzip)(await readFile(file), { maxOutputLength: maxIndexBytes }),
  },
];

/** A verified index of packages, compressed, on disk. */
interface IndexFile {
  read(): Promise<string>;
}

/** Downloads `main/binary-<arch>/Packages`, by its hash in the Release file. */
async function downloadIndex(
  { files, byHash }: Release,
  arch: string,
  { suiteUri, folder, signal }: { suiteUri: string; folder: string; signal: AbortSignal },
): Promise<IndexFile> {
  const directory = `main/binary-${arch}`;
  for (const { suffix, decompress } of decompressors) {
    const name = `${directory}/Packages${suffix}`;
    const signed = files.get(name);
    if (signed === undefined) continue;
    const path = byHash ? `${directory}/by-hash/SHA256/${signed.sha256}` : name;
    const file = join(folder, `Packages-${arch}${suffix}`);
    await mkdir(folder, { recursive: true });
    await downloadSigned(`${suiteUri}/${path}`, signed, file, signal);
    return { read: async () => (await decompress(file)).toString('utf8') };
  }
  throw unfetchable(`${suiteUri}: its Release file lists no ${directory}/Packages.xz or .gz`);
}

/** A pool path, from an index that is signed but must not lead elsewhere all the same. */
const poolPath = /^pool\/[A-Za-z0-9][\w.+~-]*(?:\/[A-Za-z0-9][\w.+~%-]*)+\.deb$/;
const packageName = /^[a-z0-9][a-z0-9+.-]+$/;

function listed(stanza: Stanza): Listed {
  const field = (name: string) => stanza.get(name) ?? '';
  const [name, version, arch, path] = [field('package'), field('version'), field('architecture'), field('filename')];
  const [sha256, bytes] = [field('sha256'), Number(field('size'))];
  const isSound = packageName.test(name) && poolPath.test(path) && /^[0-9a-f]{64}$/.test(sha256);
  if (isSound && Number.isSafeInteger(bytes) && bytes > 0 && bytes <= maxPackageBytes) {
    return { name, version, arch, path, sha256, bytes };
  }
  throw unfetchable(`package ${name}: expected a file below pool/ with its size and SHA-256, saw "${path}"`);
}

/** The stanzas of the packages wanted, of any architecture. */
function choose(indexes: ReadonlyMap<string, string>, names: readonly string[]): Map<string, Listed> {
  const wanted = new Set(names.map((name) => name.split(':')[0]));
  const found = new Map<string, Stanza[]>();
  for (const text of indexes.values()) {
    for (const part of text.split('\n\n')) {
      const name = /^Package: (\S+)$/m.exec(part.slice(0, 300))?.[1] ?? '';
      if (wanted.has(name)) found.set(name, [...(found.get(name) ?? []), ...parseStanzas(part)]);
    }
  }
  return new Map(names.map((name) => [name, listed(theOne(name, found))]));
}

/** `name:arch` as it says; a bare name is a package for all architectures, or for this machine's. */
function theOne(wanted: string, found: ReadonlyMap<string, readonly Stanza[]>): Stanza {
  const [name = '', arch] = wanted.split(':');
  const candidates = found.get(name) ?? [];
  const of = (one: string) => candidates.filter((stanza) => stanza.get('architecture') === one);
  const [first, ...others] = arch === undefined ? [...of('all'), ...of(hostArch)] : [...of(arch), ...of('all')];
  if (first === undefined) throw unfetchable(`no package ${wanted} in this suite`);
  const other = others.find((stanza) => stanza.get('version') !== first.get('version'));
  if (other === undefined) return first;
  throw unfetchable(`package ${wanted}: expected one version, saw ${first.get('version')} and ${other.get('version')}`);
}

/** Packages of a Debian mirror without apt, from the signature of the Release file down to the hash of each package. */
export function mirrorSource({ uri, work, allowExpired, keys, signal }: MirrorOptions): PackageSource {
  const mirror = uri.replace(/\/+$/, '');
  const releases = oncePerKey<Release>();
  const indexes = oncePerKey<IndexFile>();

  const releaseOf = (suite: string) =>
    releases(suite, async () =>
      openRelease({ uri: mirror, suite, keys: keys ?? (await debianKeys()), allowExpired, signal }),
    );

  async function indexText(suite: string, arch: string): Promise<string> {
    const place = { suiteUri: `${mirror}/dists/${suite}`, folder: join(work, suite), signal };
    const index = await indexes(`${suite} ${arch}`, async () => downloadIndex(await releaseOf(suite), arch, place));
    return index.read();
  }

  return {
    async fetch(suite, names, folder) {
      await mkdir(folder, { recursive: true });
      const named = archs.filter((arch) => arch === hostArch || names.some((name) => name.endsWith(`:${arch}`)));
      const texts = new Map<string, string>();
      for (const arch of named.length > 0 ? named : archs.slice(0, 1)) texts.set(arch, await indexText(suite, arch));
      const fetched: FetchedPackage[] = [];
      for (const { path, bytes, ...found } of choose(texts, names).values()) {
        const file = join(folder, `${found.name}_${found.arch}.deb`);
        await downloadSigned(`${mirror}/${path}`, { sha256: found.sha256, bytes }, file, signal);
        fetched.push({ ...found, path: file });
      }
      return fetched;
    },
  };
}
