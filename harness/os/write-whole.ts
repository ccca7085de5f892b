import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Names of what is being written, or was when its process was killed. */
export const unfinishedName = /\.[0-9a-f]{8}\.part$/;

/**
 * Replaces a file atomically, creating its parent folders: a reader sees the old content or the new, even after a kill or
 * with a second writer. `write` writes it under a temporary name. Rejects with Node's own error, leaving nothing behind.
 */
export async function putWhole(path: string, write: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.${randomBytes(4).toString('hex')}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    await write(unfinished);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => {});
    throw error;
  }
}

/** `putWhole` for content in memory. */
export function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  return putWhole(path, (unfinished) => writeFile(unfinished, content));
}
