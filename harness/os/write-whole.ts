import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Puts a file in place, and the folders above it, so that a reader finds the old content or the new and never half of
 * it, also after a kill or beside a second writer. `write` makes it under another name. Rejects with Node's own error, and
 * leaves nothing behind.
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

/** `putWhole` for content at hand. */
export function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  return putWhole(path, (unfinished) => writeFile(unfinished, content));
}
