import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { oncePerKey } from '../os/once-per-key.ts';
import type { Content, FileStore } from './file-store.ts';

/** Files that cells need, by content. */
export interface WorkerFiles {
  /** Where the content is on this machine; fetched if it is nowhere. */
  path(content: Content): Promise<string>;
  /** Bytes fetched so far. */
  fetchedBytes(): number;
}

export interface WorkerFilesOptions {
  folder: string;
  limitBytes: number;
  store: FileStore;
  fingerprints: Pick<Fingerprints, 'of'>;
  /** Files of this machine's own sets. */
  own: readonly string[];
}

/** Removes what was used longest ago, until the rest fits. */
function prune(folder: string, limitBytes: number): void {
  const files = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    const { size, mtimeMs } = statSync(path);
    return { path, size, mtimeMs };
  });
  let left = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (left <= limitBytes) return;
    rmSync(path, { force: true });
    left -= size;
  }
}

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;

/** Looks in the machine's own sets, then in the worker's cache, then in the store. */
export async function openWorkerFiles(options: WorkerFilesOptions): Promise<WorkerFiles> {
  const { folder, limitBytes, store, fingerprints, own } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Only between runs: a cell in progress may use any of them.
  prune(folder, limitBytes);
  const ownBySize = new Map<number, string[]>();
  for (const path of own) {
    const size = sizeOf(path);
    if (size !== undefined) ownBySize.set(size, [...(ownBySize.get(size) ?? []), path]);
  }
  const once = oncePerKey<string>();
  let fetched = 0;

  const isContent = async (path: string, { sha256, bytes }: Content): Promise<boolean> =>
    sizeOf(path) === bytes && (await fingerprints.of(path).catch(() => undefined))?.sha256 === sha256;

  async function find(content: Content): Promise<string> {
    for (const path of ownBySize.get(content.bytes) ?? []) if (await isContent(path, content)) return path;
    const path = join(folder, content.sha256);
    if (!(await isContent(path, content))) {
      await store.get(content, path);
      fetched += content.bytes;
    }
    const now = new Date();
    utimesSync(path, now, now);
    return path;
  }

  return {
    path: (content) => once(content.sha256, () => find(content)),
    fetchedBytes: () => fetched,
  };
}
