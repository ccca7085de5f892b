import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fingerprint-'));
});
afterEach(() => rm(folder, { recursive: true }));

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

test.each(['missing', '.'])('%s cannot be fingerprinted, and the error names it', async (name) => {
  const path = join(folder, name);
  await expect(createFingerprints().of(path)).rejects.toMatchObject({
    code: 'missing-asset',
    message: expect.stringContaining(path),
  });
});
