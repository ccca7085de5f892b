import { join } from 'node:path';
import { openTemporaryFolder } from '../os/temporary-folder.ts';

/** Runs `use` with the path for a Unix socket in a folder that only this user can enter, so that nobody else connects. */
export async function withSocketPath<T>(use: (path: string) => Promise<T>): Promise<T> {
  await using folder = await openTemporaryFolder('netboot-link-');
  return await use(join(folder.path, 'socket'));
}
