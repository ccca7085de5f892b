import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What exists only until something is finished. */
export interface Unfinished {
  /** It is not needed any more. */
  remove(): Promise<void>;
  /** It is finished: from now on it stays, or is somewhere else. */
  keep(): Promise<void>;
}

/**
 * Has a file or folder removed if the harness is killed: by a shell, which waits for the end of its pipe. Where there are
 * too few descriptors for one (execa throws then, and later again where nobody can catch it), nobody removes it.
 */
export function removeIfKilled(path: string): Unfinished {
  const remover = spawn('sh', ['-c', 'read -r line && exit; rm -rf -- "$1"', 'netboot-remover', path], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A terminal's Ctrl-C, and what kills the harness's process group, must not reach it.
    detached: true,
  });
  const ended = new Promise((resolve) => remover.once('close', resolve).once('error', resolve));
  // EPIPE, if someone else ended the shell.
  remover.stdin?.on('error', () => {});
  return {
    async remove() {
      remover.stdin?.end();
      await ended;
      await rm(path, { recursive: true, force: true });
    },
    async keep() {
      remover.stdin?.end('keep\n');
      await ended;
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
