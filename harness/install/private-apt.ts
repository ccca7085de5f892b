import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
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

/**
 * A private apt: it reads one suite of `mirror` for both architectures, ignores what the machine has installed and touches
 * nothing outside the folder. The machine's apt settings, such as proxies, still apply.
 */
export function aptSource(
  mirror: AptMirror,
  { allowExpired, signal }: { allowExpired: boolean; signal: AbortSignal },
): PackageSource {
  return {
    async fetch(suite, names, folder) {
      const debs = join(folder, 'debs');
      for (const name of ['lists/partial', 'archives/partial', 'debs'])
        await mkdir(join(folder, name), { recursive: true });
      const keys = mirror.signedBy ?? (existsSync(archiveKeys) ? archiveKeys : undefined);
      const options = keys === undefined ? '' : `[signed-by=${keys}] `;
      await writeFile(join(folder, 'sources.list'), `deb ${options}${mirror.uri} ${suite} main\n`);
      await writeFile(join(folder, 'status'), '');
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
      const flags = Object.entries(settings).map(([key, value]) => `-o${key}=${value}`);
      const apt = async (...args: string[]) => {
        const ended = await execa('apt-get', ['-qq', ...flags, ...args], {
          cwd: debs,
          stdin: 'ignore',
          cancelSignal: signal,
          reject: false,
        });
        if (ended.failed) throw unfetchable(`apt-get ${args.join(' ')}: ${ended.stderr || ended.shortMessage}`);
      };
      await apt('update');
      await apt('download', ...names);
      return Promise.all((await readdir(debs)).map((file) => describe(debs, file)));
    },
  };
}
