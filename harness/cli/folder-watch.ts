import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Each file below some folders, with what changes when it is written or replaced. */
type Snapshot = ReadonlyMap<string, string>;

const pollMs = 500;
/** A build writes many files, with pauses in between; a round that starts too early is followed by another. */
const quietMs = 1000;
/** As far as a set is scanned. */
const maxFiles = 200_000;
const maxDepth = 16;

/** Undefined for what is gone by now: a build in progress moves files. */
function orGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(code)) return undefined;
    throw error;
  }
}

const markOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string => [ino, size, mtimeMs, ctimeMs].join(' ');

function takeSnapshot(folders: readonly string[]): Snapshot {
  const files = new Map<string, string>();
  const walk = (folder: string, depth: number): void => {
    for (const entry of orGone(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
      if (files.size >= maxFiles) return;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < maxDepth && !entry.name.startsWith('.')) walk(path, depth + 1);
        continue;
      }
      const stats = orGone(() => statSync(path));
      if (stats?.isFile()) files.set(path, markOf(stats));
    }
  };
  for (const folder of folders) walk(folder, 0);
  return files;
}

const changesBetween = (before: Snapshot, after: Snapshot): string[] =>
  [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path)).sort();

/** Waits until files have changed since the last call, or the first since `watchFolders`, and none has for a moment. */
export type NextChange = (signal: AbortSignal) => Promise<string[]>;

/**
 * Watches the files below some folders. They are looked at again and again: on Linux, Node 20's recursive `fs.watch` no
 * longer sees a file once another was moved onto it, as linkers do, and inotify cannot see a folder that was recreated.
 */
export function watchFolders(folders: readonly string[]): NextChange {
  let known = takeSnapshot(folders);
  return async (signal) => {
    for (;;) {
      await sleep(pollMs, undefined, { signal });
      let now = takeSnapshot(folders);
      if (changesBetween(known, now).length === 0) continue;
      for (let isQuiet = false; !isQuiet; ) {
        await sleep(quietMs, undefined, { signal });
        const later = takeSnapshot(folders);
        // Between `make clean` and `make` there is nothing to run.
        isQuiet = later.size > 0 && changesBetween(now, later).length === 0;
        now = later;
      }
      const changed = changesBetween(known, now);
      known = now;
      if (changed.length > 0) return changed;
    }
  };
}
