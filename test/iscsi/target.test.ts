import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startIscsiTarget } from '../../harness/services/iscsi/target.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iscsi-test-'));
  // Other runs on this machine have targets too.
  vi.stubEnv('TMPDIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('a target that is not installed is an error with a remedy, and leaves no folder behind', async () => {
  const disk = join(folder, 'disk.img');
  writeFileSync(disk, Buffer.alloc(4096));
  const iqn = 'iqn.2026-01.example.test:disk';
  const started = startIscsiTarget({ iqn, disk, patch: [], programRoot: join(folder, 'nothing') }, () => {});
  await expect(started).rejects.toMatchObject({ code: 'missing-program', hint: expect.any(String) });
  expect(readdirSync(folder)).toEqual(['disk.img']);
});
