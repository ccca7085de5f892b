import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * A folder that only this user can enter. Disposing of it removes it; if the harness is killed, a shell does, which waits
 * for the end of its pipe.
 */
export async function openTemporaryFolder(prefix: string): Promise<TemporaryFolder> {
  const path = join(tmpdir(), `${prefix}${randomBytes(4).toString('hex')}`);
  const remover = execa('sh', ['-c', 'read line || :; rm -rf -- "$1"', 'netboot-remover', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A terminal's Ctrl-C, and what kills the harness's process group, must not reach it.
    detached: true,
    cleanup: false,
    reject: false,
  });
  const end = async (): Promise<void> => {
    remover.stdin.end();
    await remover;
    await rm(path, { recursive: true, force: true });
  };
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    await end();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: end };
}
