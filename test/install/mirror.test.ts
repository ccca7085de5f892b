import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mirrorSource } from '../../harness/install/mirror/debian-mirror.ts';
import { openRelease } from '../../harness/install/mirror/release.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { type LocalMirror, makeDeb, openLocalMirror, packagePath } from './local-mirror.ts';

const { signal } = new AbortController();

let folder: string;
let mirror: LocalMirror;
folderOfTest((made) => {
  folder = made;
});
beforeEach(async () => {
  mirror = await openLocalMirror(await makeDeb({ 'usr/share/firm.bin': 'firmware' }, folder));
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
});

const fetchFrom = (from: LocalMirror, names = ['firm'], allowExpired = false) => {
  const work = join(folder, randomUUID());
  const source = mirrorSource({ uri: from.uri, work, keys: from.keys, allowExpired, signal });
  return source.fetch('bookworm', names, join(folder, 'debs'));
};

const refusal = (text: string) =>
  expect.objectContaining({ code: 'missing-asset', message: expect.stringContaining(text) });

const inRelease = '/dists/bookworm/InRelease';
const changed = (from: LocalMirror, path: string, change: (text: string) => string) =>
  from.files.set(path, Buffer.from(change(from.files.get(path)?.toString('latin1') ?? ''), 'latin1'));

test('a package is fetched along the chain from the signature to its hash', async () => {
  const [found] = await fetchFrom(mirror);
  expect(found).toMatchObject({ name: 'firm', version: '1.0-1', arch: 'all' });
  expect(await readFile(found!.path)).toEqual(mirror.files.get(`/${packagePath}`));
});

test('a Release file that was changed after it was signed is refused', async () => {
  changed(mirror, inRelease, (text) => text.replace('oldstable', 'newstable'));
  await expect(fetchFrom(mirror)).rejects.toEqual(refusal('no valid signature of a Debian archive key'));
});

test('a Release file signed by someone else is refused', async () => {
  await using other = await openLocalMirror(Buffer.from('x'));
  mirror.files.set(inRelease, other.files.get(inRelease)!);
  await expect(fetchFrom(mirror)).rejects.toEqual(refusal('no valid signature of a Debian archive key (key '));
});

test('without keys given, only those of Debian count', async () => {
  const source = mirrorSource({ uri: mirror.uri, work: folder, allowExpired: false, signal });
  await expect(source.fetch('bookworm', ['firm'], folder)).rejects.toEqual(refusal('no valid signature'));
});

test('a Release file without a signature is refused', async () => {
  mirror.files.set(inRelease, Buffer.from('Codename: bookworm\n'));
  await expect(fetchFrom(mirror)).rejects.toEqual(refusal('expected a signed Release file, saw none'));
});

test('the Release file of another suite is refused, however well it is signed', async () => {
  await mirror.publish({ Codename: 'sid', Suite: 'unstable' });
  await expect(fetchFrom(mirror)).rejects.toEqual(refusal('expected the Release file of bookworm, saw that of sid'));
});

test('one that has expired is refused, unless a snapshot is wanted', async () => {
  await mirror.publish({ 'Valid-Until': 'Sat, 01 Jan 2022 00:00:00 UTC' });
  await expect(fetchFrom(mirror)).rejects.toEqual(refusal('expired at Sat, 01 Jan 2022'));
  await expect(fetchFrom(mirror, ['firm'], true)).resolves.toHaveLength(1);
});

test('an index or a package with other bytes than the signed hash is refused', async () => {
  changed(mirror, `/${packagePath}`, (text) => text.replace('debian-binary', 'debian-bimary'));
  await expect(fetchFrom(mirror)).rejects.toEqual(refusal('of the signed index, saw'));
});

test('a package longer than the signed index says is not read to its end', async () => {
  mirror.files.set(`/${packagePath}`, Buffer.alloc(1 << 20));
  await expect(fetchFrom(mirror)).rejects.toEqual(refusal('which is as many as expected'));
});

test('an index without by-hash is found by its name', async () => {
  await mirror.publish({ 'Acquire-By-Hash': 'no' });
  for (const path of mirror.files.keys()) if (path.includes('by-hash')) mirror.files.delete(path);
  await expect(fetchFrom(mirror)).resolves.toHaveLength(1);
});

test.each(['../../../etc/passwd.deb', '/etc/x.deb', 'pool/../../x.deb', 'http://elsewhere/x.deb'])(
  'a package at %s is refused',
  async (path) => {
    await using climbing = await openLocalMirror(Buffer.from('x'), { Filename: path });
    await expect(fetchFrom(climbing)).rejects.toEqual(refusal(`expected a file below pool/`));
  },
);

test('a package that the suite does not have is named', async () => {
  await expect(fetchFrom(mirror, ['nothing:arm64'])).rejects.toEqual(refusal('main/binary-arm64/Packages'));
  await rm(join(folder, 'debs'), { recursive: true });
  await expect(fetchFrom(mirror, ['nothing'])).rejects.toEqual(refusal('no package nothing in this suite'));
});

test('a folder that is no mirror, and a server that is not there, are named with the remedy', async () => {
  mirror.files.clear();
  await expect(fetchFrom(mirror)).rejects.toMatchObject({
    message: expect.stringContaining('neither InRelease nor Release with Release.gpg is there'),
    hint: expect.stringContaining('dists/ and pool/'),
  });
  const uri = 'http://127.0.0.1:1';
  await expect(
    openRelease({ uri, suite: 'bookworm', keys: mirror.keys, allowExpired: false, signal }),
  ).rejects.toMatchObject({ message: expect.stringContaining(`${uri}/dists/bookworm/InRelease`) });
  expect(existsSync(join(folder, 'debs', 'firm_all.deb'))).toBe(false);
});
