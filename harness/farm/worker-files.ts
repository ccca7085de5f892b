import { readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fingerprints } from '../assets/fingerprint.ts';
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

/** Use is noted in a file's times no more often: they also tell whether it changed, and then it is read as a whole. */
const noteMs = 3_600_000;
/** What was used since then may be in use by a cell of another worker. */
const inUseMs = 3 * noteMs;

/** Removes what was used longest ago and is in use no more, until the rest fits. */
function prune(folder: string, limitBytes: number): void {
  const files = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    // Another worker may be fetching it, or removing it.
    const seen = statSync(path, { throwIfNoEntry: false });
    return seen === undefined ? [] : [{ path, size: seen.size, mtimeMs: seen.mtimeMs }];
  });
  let left = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size, mtimeMs } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (left <= limitBytes || mtimeMs > Date.now() - inUseMs) return;
    rmSync(path, { force: true });
    left -= size;
  }
}

/** Another worker may have removed it since it was looked at. */
function noteUse(path: string): void {
  const seen = statSync(path, { throwIfNoEntry: false });
  const now = new Date();
  if (seen !== undefined && seen.mtimeMs < now.getTime() - noteMs) utimesSync(path, now, now);
}

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size;

/** Looks in the machine's own sets, then in the worker's cache, then in the store. */
export async function openWorkerFiles(options: WorkerFilesOptions): Promise<WorkerFiles> {
  const { folder, limitBytes, store, fingerprints, own } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Only at the start: all workers of a user share the folder, and a cell in progress may use any of them.
  prune(folder, limitBytes);
  const ownBySize = new Map<number, string[]>();
  for (const path of own) {
    const size = sizeOf(path);
    if (size !== undefined) ownBySize.set(size, [...(ownBySize.get(size) ?? []), path]);
  }
  const finding = new Map<string, Promise<string>>();
  let fetched = 0;

  const isContent = async (path: string, { sha256, bytes }: Content): Promise<boolean> =>
    sizeOf(path) === bytes && (await fingerprints.of(path).catch(() => undefined))?.sha256 === sha256;

  async function find(content: Content): Promise<string> {
    for (const path of ownBySize.get(content.bytes) ?? []) if (await isContent(path, content)) return path;
    const path = join(folder, content.sha256);
    noteUse(path);
    if (await isContent(path, content)) return path;
    await store.get(content, path);
    fetched += content.bytes;
    return path;
  }

  /** Once for all that ask at the same time. What was found earlier may be gone. */
  function findOnce(content: Content): Promise<string> {
    const known = finding.get(content.sha256);
    if (known !== undefined) return known;
    const found = find(content).finally(() => finding.delete(content.sha256));
    finding.set(content.sha256, found);
    return found;
  }

  return {
    path: findOnce,
    fetchedBytes: () => fetched,
  };
}
