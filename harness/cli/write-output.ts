import { writeFile } from 'node:fs/promises';
import { HarnessError, systemErrorText } from '../model/errors.ts';

/** Writes a file the user named. Rejects with `disk`. */
export async function writeOutput(path: string, bytes: Buffer): Promise<void> {
  await writeFile(path, bytes).catch((cause: Error) => {
    throw new HarnessError('disk', `${path}: cannot be written: ${systemErrorText(cause)}`, {
      hint: 'Choose another --out.',
      cause,
    });
  });
}
