import { mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HarnessError } from '../../model/errors.ts';

/** A file of the cache folder, made once. HarnessError `disk` where it cannot be written. */
export async function keepFile(path: string, make: () => Promise<Buffer>): Promise<string> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  const made = await make();
  try {
    await mkdir(dirname(path), { recursive: true });
    // Two runs may make the same file at once: the rename is atomic, and both made the same octets.
    const unfinished = `${path}.${process.pid}.part`;
    await writeFile(unfinished, made);
    await rename(unfinished, path);
  } catch (cause) {
    throw new HarnessError('disk', `cannot write ${path}: ${(cause as Error).message}`, {
      hint: 'free some space or make the cache folder writable',
      cause,
    });
  }
  return path;
}
