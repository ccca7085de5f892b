import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import type { ServedFile } from '../../model/scenario.ts';
import { parseName } from '../../model/served-name.ts';
import { fileVersion } from './file-pieces.ts';
import { patchedEntry } from './patched-entry.ts';
import { refusal, type TreeRefusal } from './refusal.ts';
import { fileEntry, memoryEntry, type ServedEntry } from './served-entry.ts';

/** A name that HTTP answers with a redirect; `location` is a served name or a URL. */
interface ServedRedirect {
  readonly kind: 'redirect';
  readonly location: string;
  readonly status: number;
}

/** What a guest may fetch, by name, over any transport, and nothing outside it. */
export interface ServedTree {
  lookup(name: string): Promise<ServedEntry | ServedRedirect | TreeRefusal>;
}

/**
 * Opens a served tree. A `path` that names a folder serves the files below it under that name, but no
 * symbolic link below it.
 * @throws HarnessError `bad-matrix` if no guest could ever ask for a name of the tree.
 */
export function openTree(entries: Readonly<Record<string, ServedFile>>): ServedTree {
  const files = new Map<string, ServedFile>();
  for (const [key, file] of Object.entries(entries)) files.set(treeName(key), file);

  const openHostFile = async (name: string, path: string, truncateToBytes?: number) => {
    const stats = await stat(path);
    if (!stats.isFile()) return refusal('not-found', `"${name}" is ${path}, which is not a regular file`);
    return fileEntry(name, fileVersion(path, stats), truncateToBytes);
  };

  const openBelow = async (name: string, folder: string, rest: string) => {
    const path = join(await realpath(folder), rest);
    const resolved = await realpath(path);
    if (resolved !== path) return refusal('unsafe-name', `"${name}" is behind a symbolic link: ${path}`);
    return openHostFile(name, path);
  };

  const openExact = async (name: string, file: ServedFile) => {
    if ('redirect' in file) {
      return { kind: 'redirect', location: file.redirect, status: file.status ?? 302 } as const;
    }
    if ('text' in file) return memoryEntry(name, Buffer.from(file.text), file.truncateToBytes);
    // Replaced by the file it patches before the tree is opened.
    if (!('path' in file)) return refusal('not-found', `"${name}" patches a file that is not served`);
    // A symbolic link that the scenario itself names is the user's choice.
    const entry = await openHostFile(name, await realpath(file.path), file.truncateToBytes);
    return file.patch && entry.kind === 'file' ? patchedEntry(entry, file.patch) : entry;
  };

  const find = (name: string): (() => Promise<ServedEntry | ServedRedirect | TreeRefusal>) | undefined => {
    const exact = files.get(name);
    if (exact) return () => openExact(name, exact);
    for (let cut = name.length; cut > 0; ) {
      cut = name.lastIndexOf('/', cut - 1);
      const folder = files.get(name.slice(0, Math.max(0, cut)));
      if (folder && 'path' in folder) return () => openBelow(name, folder.path, name.slice(cut + 1));
      if (cut < 0) return undefined;
    }
    return undefined;
  };

  return {
    async lookup(requested) {
      const name = parseName(requested);
      if (typeof name !== 'string') return refusal('unsafe-name', name.unsafe);
      const open = find(name);
      if (!open) return refusal('not-found', `nothing is served as "${name}"`);
      try {
        return await open();
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        const absent = code === 'ENOENT' || code === 'ENOTDIR';
        return refusal(absent ? 'not-found' : 'unreadable', `"${name}": ${message}`);
      }
    },
  };
}

function treeName(key: string): string {
  const name = parseName(key);
  if (typeof name === 'string') return name;
  throw new HarnessError('bad-matrix', `"${key}" cannot be a name of the served tree: ${name.unsafe}.`, {
    hint: 'Served names are relative paths with forward slashes, such as grub/grub.cfg.',
  });
}
