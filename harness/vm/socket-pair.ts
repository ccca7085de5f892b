import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import {
  type AddressInfo,
  connect,
  createServer,
  type ListenOptions,
  type NetConnectOpts,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HarnessError } from '../model/errors.ts';

/** Two ends of a stream socket: one stays here, the other goes to a child process, and is destroyed here then. */
export interface SocketPair {
  readonly ours: Socket;
  readonly theirs: Socket;
}

const readBytes = 256 * 1024;
const acceptMs = 10_000;

/**
 * A pair of Unix sockets for frames, made by hand instead of by `stdio: 'pipe'`, whose end here allocates 64 KiB for each
 * read: at tens of MB/s that costs more, in zeroed pages and collections, than all that is done with the data. `ours` is
 * paused, and emits `data` with a view of one buffer, good only during the call.
 * @throws HarnessError `disk` where the folder for temporary files cannot hold a socket.
 */
export function createSocketPair(): Promise<SocketPair> {
  return throughFolder(connectReadingIntoOne);
}

/**
 * A pair of TCP sockets on loopback for a serial port. A UART sends a byte at a time, and every write to a Unix socket
 * takes up a buffer of its own, so that 278 bytes not yet read fill one (Linux). A full one makes the UART busy: EDK II
 * gives up within milliseconds (its shell does not start then, "Device Error"), and others lose what they print. TCP
 * joins small writes, and takes 4 MB. Without loopback it is Unix sockets all the same.
 */
export async function createSerialPair(): Promise<SocketPair> {
  try {
    const pair = await connectThrough({ host: '127.0.0.1', port: 0 }, connect);
    // What was printed must not wait for more.
    pair.theirs.setNoDelay(true);
    return pair;
  } catch {
    return throughFolder(connect);
  }
}

type Connect = (options: NetConnectOpts) => Socket;

async function throughFolder(connectTo: Connect): Promise<SocketPair> {
  let folder: string | undefined;
  try {
    // A folder of this user alone, so that nobody else connects; gone before the return.
    folder = await mkdtemp(join(tmpdir(), 'netboot-link-'));
    return await connectThrough({ path: join(folder, 'socket') }, connectTo);
  } catch (cause) {
    const { message } = cause as Error;
    throw new HarnessError('disk', `no socket for a guest could be made in ${tmpdir()}: ${message}`, {
      hint: 'let TMPDIR name a folder that can be written and has a path of no more than 70 characters',
      cause,
    });
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function connectThrough(address: ListenOptions, connectTo: Connect): Promise<SocketPair> {
  const server = createServer({ pauseOnConnect: true });
  let ours: Socket | undefined;
  try {
    server.listen(address);
    await once(server, 'listening');
    // With descriptors at their end the system turns a connection away without a word.
    const accepted = once(server, 'connection', { signal: AbortSignal.timeout(acceptMs) }) as Promise<[Socket]>;
    const at = server.address();
    ours = connectTo(typeof at === 'string' ? { path: at } : { host: '127.0.0.1', port: (at as AddressInfo).port });
    const [[theirs]] = await Promise.all([accepted, once(ours, 'connect')]);
    refuseStranger(theirs, ours);
    return { ours, theirs };
  } catch (error) {
    ours?.destroy();
    throw error;
  } finally {
    server.close();
  }
}

/** Anyone on this host may have connected to a port of loopback. */
function refuseStranger(theirs: Socket, ours: Socket): void {
  if (theirs.remotePort === ours.localPort) return;
  theirs.destroy();
  throw new Error('another process connected first');
}

function connectReadingIntoOne(options: NetConnectOpts): Socket {
  const socket: Socket = connect({
    ...options,
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
