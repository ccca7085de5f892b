import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `use` with the path for a Unix socket in a folder that only this user can enter, so that nobody else connects. */
export async function withSocketPath<T>(use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'netboot-link-'));
  try {
    return await use(join(folder, 'socket'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
