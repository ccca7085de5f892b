import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { SetUpError } from './checkout.mjs';

const archiveKeys = '/usr/share/keyrings/debian-archive-keyring.gpg';

function run(program, args, options = {}) {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (status !== 0) throw new SetUpError(`${program} ${args.at(-1)}: ${(error?.message ?? stderr).trim()}`);
}

/**
 * A private apt in `folder`: it reads one suite of `mirror` for both architectures, ignores what the machine has
 * installed and touches nothing outside `folder`. The machine's apt settings, such as proxies, still apply.
 */
export function openPrivateApt(folder, mirror, suite) {
  for (const name of ['lists/partial', 'archives/partial', 'debs']) mkdirSync(`${folder}/${name}`, { recursive: true });
  const keys = mirror.signedBy ?? (existsSync(archiveKeys) ? archiveKeys : undefined);
  const options = keys === undefined ? '' : `[signed-by=${keys}] `;
  writeFileSync(`${folder}/sources.list`, `deb ${options}${mirror.uri} ${suite} main\n`);
  writeFileSync(`${folder}/status`, '');
  const settings = {
    'Dir::Etc::sourcelist': `${folder}/sources.list`,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': folder,
    'Dir::State::lists': `${folder}/lists`,
    'Dir::State::status': `${folder}/status`,
    'Dir::Cache': folder,
    'Dir::Cache::archives': `${folder}/archives`,
    'APT::Architectures': 'amd64,arm64',
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': '',
  };
  const apt = (...args) => {
    const flags = Object.entries(settings).map(([key, value]) => `-o${key}=${value}`);
    run('apt-get', ['-qq', ...flags, ...args], { cwd: `${folder}/debs` });
  };
  apt('update');
  return {
    /** Downloads packages (`name` or `name:arch`); returns what was downloaded. */
    download(names) {
      apt('download', ...names);
      return readdirSync(`${folder}/debs`).map((file) => {
        const path = `${folder}/debs/${file}`;
        const [name, version, arch] = ['Package', 'Version', 'Architecture'].map((field) =>
          spawnSync('dpkg-deb', ['-f', path, field], { encoding: 'utf8' }).stdout.trim(),
        );
        return { name, version, arch, path, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') };
      });
    },
  };
}

/**
 * Unpacks the members of a package that match `patterns` (tar wildcards, no leading slash). Flash images, padded to
 * 64 MiB with zeros, are kept sparse.
 */
export function unpack(debFile, patterns, into) {
  const staging = `${into}.unpacking`;
  mkdirSync(staging, { recursive: true });
  mkdirSync(into, { recursive: true });
  const script = `
    deb=$1 staging=$2 into=$3; shift 3
    dpkg-deb --fsys-tarfile "$deb" >"$staging/data.tar"
    mkdir "$staging/data"
    tar -xf "$staging/data.tar" -C "$staging/data" --no-same-owner --wildcards "$@"
    cp -a --sparse=always "$staging/data/." "$into"
    rm -rf "$staging"`;
  run('sh', ['-euc', script, 'unpack', debFile, staging, into, ...patterns.map((pattern) => `./${pattern}`)]);
}
