import { stat, writeFile } from 'node:fs/promises';
import { HarnessError, systemErrorText } from '../../model/errors.ts';
import { putWhole } from '../../os/write-whole.ts';

const isThere = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined)) !== undefined;

/** A file of the cache folder, written once: `write` fills a temporary file. HarnessError `disk` where that fails. */
export async function writeOnce(path: string, write: (unfinished: string) => Promise<void>): Promise<string> {
  if (await isThere(path)) return path;
  try {
    // Two runs may make the same file at once, with the same bytes.
    await putWhole(path, write);
  } catch (cause) {
    throw new HarnessError('disk', `cannot write ${path}: ${systemErrorText(cause as Error)}`, {
      hint: 'Free some space or make the cache folder writable.',
      cause,
    });
  }
  return path;
}

/** `writeOnce` for the bytes that `make` returns. */
export async function makeOnce(path: string, make: () => Promise<Buffer>): Promise<string> {
  if (await isThere(path)) return path;
  const made = await make();
  return writeOnce(path, (unfinished) => writeFile(unfinished, made));
}
