import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startIscsiTarget } from '../../harness/services/iscsi/target.ts';
import { tmpdirOfTest } from '../temporary-folder.ts';

let folder: string;
// Other runs on this machine have targets too.
tmpdirOfTest((made) => {
  folder = made;
});

test('a target that is not installed is an error with a remedy, and leaves no folder behind', async () => {
  const disk = join(folder, 'disk.img');
  writeFileSync(disk, Buffer.alloc(4096));
  const iqn = 'iqn.2026-01.example.test:disk';
  const started = startIscsiTarget({ iqn, disk, patch: [], programRoot: join(folder, 'nothing') }, () => {});
  await expect(started).rejects.toMatchObject({ code: 'missing-program', hint: expect.any(String) });
  expect(readdirSync(folder)).toEqual(['disk.img']);
});
