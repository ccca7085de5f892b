import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HarnessError } from '../model/errors.ts';

/** Two ends of a Unix stream socket: one stays here, the other goes to a child process, and is destroyed here then. */
export interface SocketPair {
  /** Paused. Emits `data` with a view of one buffer, good only during the call. */
  readonly ours: Socket;
  readonly theirs: Socket;
}

const readBytes = 256 * 1024;
const acceptMs = 10_000;

/**
 * A pair made by hand instead of by `stdio: 'pipe'`, whose end here allocates 64 KiB for each read: at tens of MB/s
 * that costs more, in zeroed pages and collections, than all that is done with the data.
 * @throws HarnessError `disk` where the folder for temporary files cannot hold a socket.
 */
export async function createSocketPair(): Promise<SocketPair> {
  let folder: string | undefined;
  try {
    // A folder of this user alone, so that nobody else connects; gone before the return.
    folder = await mkdtemp(join(tmpdir(), 'netboot-link-'));
    return await connectThrough(join(folder, 'socket'));
  } catch (cause) {
    const { message } = cause as Error;
    throw new HarnessError('disk', `no socket for a guest's network could be made in ${tmpdir()}: ${message}`, {
      hint: 'let TMPDIR name a folder that can be written and has a path of no more than 70 characters',
      cause,
    });
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function connectThrough(path: string): Promise<SocketPair> {
  const server = createServer({ pauseOnConnect: true });
  let ours: Socket | undefined;
  try {
    server.listen(path);
    await once(server, 'listening');
    // With descriptors at their end the system turns a connection away without a word.
    const accepted = once(server, 'connection', { signal: AbortSignal.timeout(acceptMs) }) as Promise<[Socket]>;
    ours = connectPaused(path);
    const [[theirs]] = await Promise.all([accepted, once(ours, 'connect')]);
    return { ours, theirs };
  } catch (error) {
    ours?.destroy();
    throw error;
  } finally {
    server.close();
  }
}

function connectPaused(path: string): Socket {
  const socket: Socket = connect({
    path,
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (length, buffer) => {
        socket.emit('data', (buffer as Buffer).subarray(0, length));
        return true;
      },
    },
  });
  return socket.pause();
}
