import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isIntact, type MakeSets, removeAbandoned, tryMakeSet } from '../../harness/install/make-sets.ts';
import { mirrorSource } from '../../harness/install/mirror/debian-mirror.ts';
import type { SetRecipe } from '../../harness/install/set-recipes.ts';
import { type LocalMirror, makeDeb, openLocalMirror, packagePath } from './local-mirror.ts';

const recipe: SetRecipe = {
  name: 'bookworm',
  installed: { seabios: ['usr/share/seabios/bios-256k.bin'] },
  unpacked: {},
};
const bios = 'usr/share/seabios/bios-256k.bin';

let cacheDir: string;
let listsDir: string;
let mirror: LocalMirror;
let said: string[];
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'sets-'));
  listsDir = await mkdtemp(join(tmpdir(), 'lists-'));
  const deb = await makeDeb({ [bios]: 'SeaBIOS', 'usr/share/doc/seabios/copyright': 'GPL' }, listsDir);
  mirror = await openLocalMirror(deb, { Package: 'seabios' });
  said = [];
});
afterEach(async () => {
  await mirror[Symbol.asyncDispose]();
  await rm(cacheDir, { recursive: true });
  await rm(listsDir, { recursive: true });
});

const how = (): MakeSets => ({
  cacheDir,
  // Not a Debian: nothing of the machine's own is used.
  machine: { system: 'fedora', isDebian: false, codename: undefined, hasApt: false, isRoot: false },
  source: mirrorSource({
    uri: mirror.uri,
    work: join(listsDir, randomUUID()),
    keys: mirror.keys,
    allowExpired: false,
    signal: AbortSignal.timeout(60_000),
  }),
  recorded: { bookworm: { seabios: { version: '0.9', sha256: 'aa' } } },
  say: (line) => said.push(line),
});

test('a set is made of the files wanted, as the harness reads it, and is then there', async () => {
  expect(await isIntact(recipe, how())).toBe(false);
  const packages = await tryMakeSet(recipe, how());
  expect(packages).toMatchObject([{ name: 'seabios', version: '1.0-1' }]);
  const set = join(cacheDir, 'sets/bookworm');
  expect(JSON.parse(await readFile(join(set, 'set.json'), 'utf8'))).toMatchObject({
    name: 'bookworm',
    firmware: [{ firmware: 'seabios', code: `root/${bios}`, package: 'seabios' }],
  });
  expect((await readdir(join(set, 'root'), { recursive: true })).sort().at(-1)).toBe(bios);
  expect(said).toEqual(['fetching bookworm', 'bookworm: changed since it was recorded: seabios 0.9 → 1.0-1']);
  expect(await readdir(cacheDir)).toEqual(['sets']);
  expect(await isIntact(recipe, how())).toBe(true);
});

test('a set with a damaged file, or of another recipe, is not there', async () => {
  await tryMakeSet(recipe, how());
  expect(await isIntact({ ...recipe, unpacked: { shim: ['*'] } }, how())).toBe(false);
  await truncate(join(cacheDir, 'sets/bookworm/root', bios), 3);
  expect(await isIntact(recipe, how())).toBe(false);
  await tryMakeSet(recipe, how());
  expect(await isIntact(recipe, how())).toBe(true);
});

test('a set that cannot be verified leaves the one that is there, and nothing else', async () => {
  await tryMakeSet(recipe, how());
  mirror.files.set(`/${packagePath}`, Buffer.from('something else'));
  expect(await tryMakeSet(recipe, how())).toBeUndefined();
  expect(said.join('\n')).toMatch(/bookworm could not be fetched, so its cells will not run: .*SHA-256/);
  expect(await readdir(cacheDir)).toEqual(['sets']);
  expect(await isIntact(recipe, how())).toBe(true);
});

test('what a killed process left is removed, and nothing of a running one', async () => {
  // Above the largest pid that Linux gives.
  await mkdir(join(cacheDir, 'making-trixie.4194305'));
  await mkdir(join(cacheDir, `making-forky.${process.pid}`));
  await removeAbandoned(cacheDir);
  expect(await readdir(cacheDir)).toEqual([`making-forky.${process.pid}`]);
});
