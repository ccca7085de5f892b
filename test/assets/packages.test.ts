import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ownershipSchema, packagesOf } from '../../harness/assets/sets/packages.ts';
import { openJsonCache } from '../../harness/os/json-cache.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const nothingKnown = () => openJsonCache({ file: undefined, version: 1, schema: ownershipSchema });

/** A machine whose dpkg says that package `fw` of this version owns a file; any other is nobody's. */
async function installDpkg(owned: string, version: string): Promise<void> {
  const script = `#!/bin/sh
case "$1 $*" in
-S*${owned}*) echo "fw:all: ${owned}";;
-W*) echo "fw ${version}";;
*) exit 1;;
esac
`;
  await writeFile(join(folder, 'dpkg-query'), script);
  await chmod(join(folder, 'dpkg-query'), 0o755);
  vi.stubEnv('PATH', folder);
}

test('an answer is remembered until the file is another one', async () => {
  const cache = nothingKnown();
  const path = join(folder, 'fw.fd');
  await writeFile(path, 'first');
  await installDpkg(path, '1');
  expect(await packagesOf([path], cache)).toEqual(new Map([[path, { name: 'fw', version: '1' }]]));
  await installDpkg(path, '2');
  expect((await packagesOf([path], cache)).get(path)?.version).toBe('1');
  await writeFile(path, 'upgraded');
  expect((await packagesOf([path], cache)).get(path)?.version).toBe('2');
});

test("that a file is nobody's is remembered too, but not that nobody could tell", async () => {
  const cache = nothingKnown();
  const [early, late, dangling] = ['early', 'late', 'dangling'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(early, '');
  await writeFile(late, '');
  await symlink('nowhere', dangling);
  await installDpkg(join(folder, 'other'), '1');
  expect(await packagesOf([early, dangling], cache)).toEqual(new Map());
  vi.stubEnv('PATH', join(folder, 'empty'));
  expect(await packagesOf([early, late], cache)).toEqual(new Map());
  await installDpkg(late, '3');
  expect(await packagesOf([early, late], cache)).toEqual(new Map([[late, { name: 'fw', version: '3' }]]));
});
