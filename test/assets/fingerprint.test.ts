import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('a fingerprint is the SHA-256 and the size of the contents', async () => {
  const path = join(folder, 'rom');
  await writeFile(path, 'contents');
  expect(await createFingerprints().of(path)).toEqual({ sha256: sha256('contents'), bytes: 8 });
});

test('a file that changed is hashed again', async () => {
  const path = join(folder, 'rom');
  const fingerprints = createFingerprints();
  await writeFile(path, 'before');
  await fingerprints.of(path);
  await writeFile(path, 'and after');
  expect((await fingerprints.of(path)).sha256).toBe(sha256('and after'));
});

test('the cache file spares the next run the hashing', async () => {
  const path = join(folder, 'rom');
  const cacheFile = join(folder, 'cache', 'fingerprints.json');
  await writeFile(path, 'contents');
  const first = createFingerprints({ cacheFile });
  await first.of(path);
  await first.save();
  // A marked entry shows that the second answer came from the file.
  const marked = (await readFile(cacheFile, 'utf8')).replace(sha256('contents'), 'f'.repeat(64));
  await writeFile(cacheFile, marked);
  expect((await createFingerprints({ cacheFile }).of(path)).sha256).toBe('f'.repeat(64));
});

test('a torn cache file is an empty one', async () => {
  const path = join(folder, 'rom');
  const cacheFile = join(folder, 'fingerprints.json');
  await writeFile(path, 'contents');
  await writeFile(cacheFile, '{"/x|1|2|3": {"sha2');
  expect((await createFingerprints({ cacheFile }).of(path)).bytes).toBe(8);
});

describe('the fingerprint of a folder', () => {
  const of = async () => createFingerprints().of(folder);

  test('is that of the list that sha256sum makes of its files, and their size in all', async () => {
    await mkdir(join(folder, 'grub'));
    await writeFile(join(folder, 'grub', 'grub.cfg'), 'menu');
    await writeFile(join(folder, 'a b'), 'contents');
    await writeFile(join(folder, 'grub.cfg'), '');
    const list = 'find . -type f | LC_ALL=C sort | tr "\\n" "\\0" | xargs -0 sha256sum';
    const printed = execFileSync('sh', ['-c', list], { cwd: folder, encoding: 'utf8' });
    expect(await of()).toEqual({ sha256: sha256(printed), bytes: 12 });
  });

  test('changes with a file that is changed, added, renamed or removed below it', async () => {
    await mkdir(join(folder, 'deep'));
    const seen = [await of()];
    for (const act of [
      () => writeFile(join(folder, 'deep', 'a'), 'one'),
      () => writeFile(join(folder, 'deep', 'a'), 'two'),
      () => writeFile(join(folder, 'b'), 'two'),
      () => rm(join(folder, 'deep', 'a')),
    ]) {
      await act();
      seen.push(await of());
    }
    expect(new Set(seen.map((one) => one.sha256)).size).toBe(seen.length);
  });

  test('has nothing of what is served from it to no one: links, and what they lead to', async () => {
    const before = await of();
    await symlink('/', join(folder, 'everything'));
    await symlink('/etc/hostname', join(folder, 'a-file'));
    expect(await of()).toEqual(before);
  });
});

test.each(['missing', 'pipe'])('%s cannot be fingerprinted, and the error names it', async (name) => {
  const path = join(folder, name);
  if (name === 'pipe') execFileSync('mkfifo', [path]);
  await expect(createFingerprints().of(path)).rejects.toMatchObject({
    code: 'missing-asset',
    message: expect.stringContaining(path),
  });
});
