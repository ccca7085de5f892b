import { realpathSync } from 'node:fs';
import { HarnessError } from '../../model/errors.ts';
import { openTemporaryFolder } from '../../os/temporary-folder.ts';
import { unpackZip } from '../../os/unpack-zip.ts';
import { BadZip } from '../../os/zip-directory.ts';
import { bundleLimits } from './bundle-format.ts';

/** A bundle in a private folder, which is removed on disposal. */
export interface UnpackedBundle extends AsyncDisposable {
  /** Laid out as a run's directory. */
  directory: string;
}

/**
 * Unpacks a stranger's bundle for as long as it is needed.
 * @throws HarnessError `bad-file` with what is wrong with it
 */
export async function unpackBundle(path: string): Promise<UnpackedBundle> {
  const folder = await openTemporaryFolder('netboot-bundle-');
  const directory = realpathSync(folder.path);
  try {
    await unpackZip(path, directory, bundleLimits);
  } catch (cause) {
    await folder[Symbol.asyncDispose]();
    const what = cause instanceof BadZip ? 'refused' : 'cannot be unpacked';
    throw new HarnessError('bad-file', `${path}: ${what}: ${(cause as Error).message}`, {
      hint: 'Name a file that `netboot bundle` wrote, copied whole.',
      details: { path },
      cause,
    });
  }
  return { directory, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}
