import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** What exists only until something is finished. */
export interface Unfinished {
  /** It is not needed any more. */
  remove(): Promise<void>;
  /** It is finished: from now on it stays, or is somewhere else. */
  keep(): Promise<void>;
}

/** Has a file or folder removed if the harness is killed: by a shell, which waits for the end of its pipe. */
export function removeIfKilled(path: string): Unfinished {
  const remover = execa('sh', ['-c', 'read -r line && exit; rm -rf -- "$1"', 'netboot-remover', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A terminal's Ctrl-C, and what kills the harness's process group, must not reach it.
    detached: true,
    cleanup: false,
    reject: false,
  });
  return {
    async remove() {
      remover.stdin.end();
      await remover;
      await rm(path, { recursive: true, force: true });
    },
    async keep() {
      remover.stdin.end('keep\n');
      await remover;
    },
  };
}

/** A folder that only this user can enter. Disposing of it removes it, and so does the end of a harness that is killed. */
export async function openTemporaryFolder(prefix: string): Promise<TemporaryFolder> {
  const path = join(tmpdir(), `${prefix}${randomBytes(4).toString('hex')}`);
  const { remove } = removeIfKilled(path);
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    await remove();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: remove };
}
