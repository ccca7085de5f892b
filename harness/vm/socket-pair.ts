import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { noSocketIn } from './socket-folder.ts';

/** Two ends of a stream socket: one stays here, the other is passed to a child process and then destroyed here. */
export interface SocketPair {
  /** Starts paused, and emits `data` with a view of one reused buffer, valid only during the call. */
  readonly ours: Socket;
  readonly theirs: Socket;
}

const readBytes = { frames: 256 << 10, serial: 64 << 10 } as const;
const acceptMs = 10_000;

/**
 * A pair of Unix sockets for frames, through `folder` (see `withSocketFolder`).
 * @throws HarnessError `disk` where the folder cannot hold a socket.
 */
export function createSocketPair(folder: string): Promise<SocketPair> {
  return throughFolder(folder, readBytes.frames);
}

/**
 * A pair of TCP sockets on loopback for a serial port. A UART sends a byte at a time, and every write to a Unix socket
 * takes a buffer of its own, so that 278 unread bytes fill one (Linux). A full socket makes the UART busy: EDK II gives
 * up within milliseconds (its shell then fails to start, "Device Error"), and others lose output. TCP coalesces small
 * writes, and takes 4 MB. Without loopback it falls back to Unix sockets, through `folder`.
 */
export async function createSerialPair(folder: string): Promise<SocketPair> {
  try {
    const pair = await accepted(await connectOnLoopback());
    // Output must not wait for more.
    pair.theirs.setNoDelay(true);
    return pair;
  } catch {
    return throughFolder(folder, readBytes.serial);
  }
}

/** Our end, and who is to accept it. */
interface Connecting {
  readonly server: Server;
  readonly ours: Socket;
}

async function throughFolder(folder: string, bufferBytes: number): Promise<SocketPair> {
  try {
    return await accepted(connectInFolder(folder, bufferBytes));
  } catch (cause) {
    throw noSocketIn(folder, cause);
  }
}

/** The kernel connects Unix sockets at once, and needs the name no longer. */
function connectInFolder(folder: string, bufferBytes: number): Connecting {
  const path = join(folder, 'socket');
  try {
    const server = createServer({ pauseOnConnect: true }).listen(path);
    return { server, ours: connectReadingIntoOne(bufferBytes, { path }) };
  } finally {
    rmSync(path, { force: true });
  }
}

async function connectOnLoopback(): Promise<Connecting> {
  const host = '127.0.0.1';
  const server = createServer({ pauseOnConnect: true }).listen({ host, port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, ours: connectReadingIntoOne(readBytes.serial, { host, port }) };
}

async function accepted({ server, ours }: Connecting): Promise<SocketPair> {
  try {
    // Out of descriptors, the kernel drops a connection silently.
    const acceptance = once(server, 'connection', { signal: AbortSignal.timeout(acceptMs) }) as Promise<[Socket]>;
    const [[theirs]] = await Promise.all([acceptance, once(ours, 'connect')]);
    refuseStranger(theirs, ours);
    return { ours, theirs };
  } catch (error) {
    ours.destroy();
    throw error;
  } finally {
    server.close();
  }
}

/** Anyone on this host can connect to a loopback port. */
function refuseStranger(theirs: Socket, ours: Socket): void {
  if (theirs.remotePort === ours.localPort) return;
  theirs.destroy();
  throw new Error('another process connected first');
}

/**
 * Not as `stdio: 'pipe'` does, whose reader allocates 64 KiB per read: at tens of MB/s, or a few bytes at a time, zeroing
 * and collecting those costs more than processing the data.
 */
function connectReadingIntoOne(bufferBytes: number, options: NetConnectOpts): Socket {
  const socket: Socket = connect({
    ...options,
    onread: {
      buffer: Buffer.allocUnsafeSlow(bufferBytes),
      callback: (length, buffer) => {
        socket.emit('data', (buffer as Buffer).subarray(0, length));
        return true;
      },
    },
  });
  return socket.pause();
}
