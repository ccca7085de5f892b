import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fingerprints } from '../fingerprint.ts';
import type { Missing } from '../sets/artefact-set.ts';
import { writeOnce } from './made-once.ts';

/**
 * A copy of an image, padded with zeros to `bytes`, kept in the cache folder; the image itself where it has that size
 * already. A reason where it is larger; HarnessError `disk` where it cannot be written.
 */
export async function fillUp(
  path: string,
  bytes: number,
  { cacheDir, fingerprints }: { cacheDir: string | undefined; fingerprints: Fingerprints },
): Promise<{ readonly path: string } | Missing> {
  const { size } = await stat(path);
  if (size === bytes) return { path };
  if (size > bytes) return { missing: `${path} has ${size} bytes, and the machine's flash holds ${bytes}` };
  if (cacheDir === undefined)
    return { missing: `${path} needs padding to ${bytes} bytes, and there is no cache folder` };
  const { sha256 } = await fingerprints.of(path);
  const kept = await writeOnce(join(cacheDir, 'flash', `${sha256.slice(0, 32)}.${bytes}.fd`), async (unfinished) => {
    await copyFile(path, unfinished);
    // A sparse file: the zeros take no space.
    await truncate(unfinished, bytes);
  });
  return { path: kept };
}
