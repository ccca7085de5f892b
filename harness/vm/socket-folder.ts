import { tmpdir } from 'node:os';
import { HarnessError } from '../model/errors.ts';
import { openTemporaryFolder } from '../os/temporary-folder.ts';

export const noSocketIn = (folder: string, cause: unknown): HarnessError =>
  new HarnessError('disk', `cannot create a socket for a guest in ${folder}: ${(cause as Error).message}`, {
    hint: 'Set TMPDIR to a writable folder with a path of at most 70 characters.',
    cause,
  });

/**
 * Runs `use` with a folder for Unix sockets that only this user can enter, so that nobody else connects. It goes afterwards,
 * and with a harness that is killed.
 * @throws HarnessError `disk` where there can be no such folder.
 */
export async function withSocketFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const opening = openTemporaryFolder('netboot-link-').catch((cause: unknown) => {
    throw noSocketIn(tmpdir(), cause);
  });
  await using folder = await opening;
  return await use(folder.path);
}
