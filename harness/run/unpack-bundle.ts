import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HarnessError } from '../model/errors.ts';
import { unpackZip } from '../os/unpack-zip.ts';
import { BadZip } from '../os/zip-directory.ts';
import { bundleLimits } from './bundle-format.ts';

/** A bundle in a private folder, which is removed on disposal. */
export interface UnpackedBundle extends Disposable {
  /** Laid out as a run's directory. */
  directory: string;
}

/**
 * Unpacks a stranger's bundle for as long as it is needed.
 * @throws HarnessError `bad-file` with what is wrong with it
 */
export async function unpackBundle(path: string): Promise<UnpackedBundle> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'netboot-bundle-')));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    await unpackZip(path, directory, bundleLimits);
  } catch (cause) {
    remove();
    const what = cause instanceof BadZip ? 'refused' : 'cannot be unpacked';
    throw new HarnessError('bad-file', `${path}: ${what}: ${(cause as Error).message}`, {
      hint: 'Name a file that `netboot bundle` wrote, copied whole.',
      details: { path },
      cause,
    });
  }
  return { directory, [Symbol.dispose]: remove };
}
