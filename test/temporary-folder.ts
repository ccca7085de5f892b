import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, vi } from 'vitest';

function makeFolder(name: string): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A folder for all tests of a file. */
export function folderOfFile(name = 'netboot-test'): string {
  const { folder, remove } = makeFolder(name);
  afterAll(remove);
  return folder;
}

/** Before each test `begin` gets a new folder for it. */
export function folderOfTest(begin: (folder: string) => void, name = 'netboot-test'): void {
  beforeEach(() => {
    const { folder, remove } = makeFolder(name);
    begin(folder);
    return remove;
  });
}

/** As `folderOfTest`, and the folder is the test's TMPDIR. */
export function tmpdirOfTest(begin: (folder: string) => void): void {
  folderOfTest((folder) => {
    vi.stubEnv('TMPDIR', folder);
    begin(folder);
  });
  afterEach(() => void vi.unstubAllEnvs());
}
