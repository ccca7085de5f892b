import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { type Content, openFolderStore } from '../../harness/farm/file-store.ts';
import { openWorkerFiles } from '../../harness/farm/worker-files.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder = '';
folderOfTest((made) => {
  folder = made;
  mkdirSync(join(folder, 'store'));
});

const store = () => openFolderStore(join(folder, 'store'));
const cache = () => join(folder, 'cache');
/** As each worker of this user has it; all share the folder. */
const openWorker = (limitBytes: number) => {
  const fingerprints = createFingerprints();
  return openWorkerFiles({ folder: cache(), limitBytes, store: store(), fingerprints, own: [] });
};

async function stored(text: string): Promise<Content> {
  const path = join(folder, 'sent');
  writeFileSync(path, text);
  const content = await createFingerprints().of(path);
  await store().put(content, path);
  return content;
}

/** As if it was last used so long ago. */
function age(path: string, hours: number): void {
  const then = new Date(Date.now() - hours * 3_600_000);
  utimesSync(path, then, then);
}

it('fetches a file once for all that ask, and again where another worker has removed it', async () => {
  const content = await stored('a kernel');
  const files = await openWorker(100);
  const [path, same] = await Promise.all([files.path(content), files.path(content)]);
  expect(same).toBe(path);
  expect(files.fetchedBytes()).toBe(content.bytes);
  await files.path(content);
  expect(files.fetchedBytes()).toBe(content.bytes);
  age(path, 24);
  await openWorker(0);
  expect(readdirSync(cache())).toEqual([]);
  expect(readFileSync(await files.path(content), 'utf8')).toBe('a kernel');
});

it('fetches a file again that was changed meanwhile', async () => {
  const content = await stored('a kernel');
  const files = await openWorker(100);
  const path = await files.path(content);
  rmSync(path);
  writeFileSync(path, 'a colonel');
  expect(readFileSync(await files.path(content), 'utf8')).toBe('a kernel');
});

it('has a file that is used again for one in use, which no worker removes', async () => {
  const content = await stored('a kernel');
  const files = await openWorker(100);
  const path = await files.path(content);
  age(path, 24);
  await files.path(content);
  await openWorker(0);
  expect(readdirSync(cache())).toEqual([content.sha256]);
  // Its times are left alone while it is in use: they are what tells whether it changed.
  const { mtimeMs, ctimeMs } = statSync(path);
  await files.path(content);
  expect(statSync(path)).toMatchObject({ mtimeMs, ctimeMs });
});

it('removes what was used longest ago when a worker starts, until the rest fits', async () => {
  const [old, older] = [await stored('old'), await stored('older')];
  const files = await openWorker(100);
  age(await files.path(old), 24);
  age(await files.path(older), 48);
  await openWorker(old.bytes);
  expect(readdirSync(cache())).toEqual([old.sha256]);
});
