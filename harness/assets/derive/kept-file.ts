import { stat } from 'node:fs/promises';
import { HarnessError } from '../../model/errors.ts';
import { writeWhole } from '../../os/write-whole.ts';

/** A file of the cache folder, made once. HarnessError `disk` where it cannot be written. */
export async function keepFile(path: string, make: () => Promise<Buffer>): Promise<string> {
  if ((await stat(path).catch(() => undefined)) !== undefined) return path;
  const made = await make();
  try {
    // Two runs may make the same file at once; both made the same bytes.
    await writeWhole(path, made);
  } catch (cause) {
    throw new HarnessError('disk', `cannot write ${path}: ${(cause as Error).message}`, {
      hint: 'free some space or make the cache folder writable',
      cause,
    });
  }
  return path;
}
