import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fingerprints } from '../fingerprint.ts';
import type { Missing } from '../sets/artefact-set.ts';
import { writeOnce } from './made-once.ts';

interface FillingPlace {
  readonly cacheDir: string | undefined;
  readonly fingerprints: Fingerprints;
}

/** Why an image cannot be padded to `bytes`; undefined if it can, or needs no padding. */
export async function lackForFilling(
  path: string,
  bytes: number,
  cacheDir: string | undefined,
): Promise<Missing | undefined> {
  const { size } = await stat(path);
  if (size > bytes) return { missing: `${path} has ${size} bytes, and the machine's flash holds ${bytes}` };
  if (size === bytes || cacheDir !== undefined) return undefined;
  return { missing: `${path} needs padding to ${bytes} bytes, and there is no cache folder` };
}

/**
 * A copy of an image, padded with zeros to `bytes`, kept in the cache folder; the image itself where it has that size
 * already. A reason where it is larger; HarnessError `disk` where it cannot be written.
 */
export async function fillUp(
  path: string,
  bytes: number,
  { cacheDir, fingerprints }: FillingPlace,
): Promise<{ readonly path: string } | Missing> {
  const lack = await lackForFilling(path, bytes, cacheDir);
  if (lack !== undefined) return lack;
  if (cacheDir === undefined || (await stat(path)).size === bytes) return { path };
  const { sha256 } = await fingerprints.of(path);
  const kept = await writeOnce(join(cacheDir, 'flash', `${sha256.slice(0, 32)}.${bytes}.fd`), async (unfinished) => {
    await copyFile(path, unfinished);
    // A sparse file: the zeros take no space.
    await truncate(unfinished, bytes);
  });
  return { path: kept };
}
