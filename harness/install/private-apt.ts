import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { oncePerKey } from '../os/once-per-key.ts';
import { tieToParent } from '../os/tied-process.ts';
import type { AptMirror } from './apt-sources.ts';
import { type FetchedPackage, type PackageSource, unfetchable } from './package-source.ts';

const archiveKeys = '/usr/share/keyrings/debian-archive-keyring.gpg';

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** `name_version_arch.deb`, as apt names its downloads; a colon in the version is escaped. */
async function describe(folder: string, file: string): Promise<FetchedPackage> {
  const [name = '', version = '', arch = ''] = file
    .replace(/\.deb$/, '')
    .split('_')
    .map(decodeURIComponent);
  const path = join(folder, file);
  return { name, version, arch, path, sha256: await sha256Of(path) };
}

/** A private apt's settings: everything it reads and writes is below `folder`. */
function settingsOf(folder: string, allowExpired: boolean): string[] {
  const settings = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': folder,
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': folder,
    'Dir::Cache::archives': join(folder, 'archives'),
    'APT::Architectures': 'amd64,arm64',
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': '',
    ...(allowExpired ? { 'Acquire::Check-Valid-Until': 'false' } : {}),
  };
  return Object.entries(settings).map(([key, value]) => `-o${key}=${value}`);
}

export interface AptOptions {
  /** Where package lists are kept, for as long as the source is used. */
  readonly work: string;
  readonly allowExpired: boolean;
  readonly signal: AbortSignal;
}

/**
 * A private apt: it reads one suite of `mirror` for both architectures, ignores what the machine has installed and touches
 * nothing outside its folders. The machine's apt settings, such as proxies, still apply.
 */
export function aptSource(mirror: AptMirror, { work, allowExpired, signal }: AptOptions): PackageSource {
  const once = oncePerKey<string[]>();

  async function apt(flags: readonly string[], cwd: string, ...args: string[]): Promise<void> {
    const { file, args: argv } = tieToParent('apt-get', ['-qq', ...flags, ...args]);
    const ended = await execa(file, argv, {
      cwd,
      stdin: 'ignore',
      cancelSignal: signal,
      reject: false,
    });
    if (ended.failed) throw unfetchable(`apt-get ${args.join(' ')}: ${ended.stderr || ended.shortMessage}`);
  }

  /** The flags of an apt that has this suite's lists. */
  async function open(suite: string): Promise<string[]> {
    const folder = join(work, suite);
    await mkdir(join(folder, 'lists/partial'), { recursive: true });
    await mkdir(join(folder, 'archives/partial'), { recursive: true });
    const keys = mirror.signedBy ?? (existsSync(archiveKeys) ? archiveKeys : undefined);
    const options = keys === undefined ? '' : `[signed-by=${keys}] `;
    await writeFile(join(folder, 'sources.list'), `deb ${options}${mirror.uri} ${suite} main\n`);
    await writeFile(join(folder, 'status'), '');
    const flags = settingsOf(folder, allowExpired);
    await apt(flags, folder, 'update');
    return flags;
  }

  return {
    async fetch(suite, names, folder) {
      const flags = await once(suite, () => open(suite));
      await mkdir(folder, { recursive: true });
      await apt(flags, folder, 'download', ...names);
      return Promise.all((await readdir(folder)).map((file) => describe(folder, file)));
    },
  };
}
