import { type FileHandle, open } from 'node:fs/promises';
import { HarnessError } from '../../model/errors.ts';
import { enhancedPacketBytes, pcapngHeader, writeEnhancedPacket } from './pcapng.ts';

export interface Capture {
  /** Records a frame (copied during the call) sent by `from` at `tMs` since the case started. */
  frame(from: 'guest' | 'server', frame: Buffer, tMs: number): void;
  /** Frames dropped because the disk could not keep up. */
  readonly dropped: number;
  /** Flushes and closes; rejects with a `disk` error if something could not be written. */
  close(): Promise<void>;
}

const bufferBytes = 512 * 1024;
/** Full buffers waiting for the disk; beyond that, frames are dropped rather than kept in memory. */
const maxWaiting = 32;
/** A killed harness loses no more of the capture than this. */
const flushEveryMs = 1000;

/**
 * Opens a pcapng file and records frames in it. `startedAtMs` is the wall clock (ms since the epoch) at
 * which `tMs` was 0. Writes go out in whole blocks, so a file cut off by a kill still opens.
 */
export async function createCapture(path: string, startedAtMs: number): Promise<Capture> {
  const file = await open(path, 'w').catch((cause: unknown) => Promise.reject(diskError(path, cause)));
  return captureTo(file, path, startedAtMs);
}

function captureTo(file: FileHandle, path: string, startedAtMs: number): Capture {
  const spare: Buffer[] = [];
  let buffer: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  let used = pcapngHeader('netboot-harness').copy(buffer);
  let waiting = 0;
  let dropped = 0;
  let failure: HarnessError | undefined;
  let written = Promise.resolve();
  let closing: Promise<void> | undefined;

  /** Hands the buffer to the disk, in order, and takes another. */
  function flush(): void {
    if (used === 0) return;
    const full = buffer;
    const length = used;
    waiting++;
    written = written.then(async () => {
      try {
        if (failure === undefined) await writeAll(file, full, length);
      } catch (cause) {
        failure = diskError(path, cause);
      }
      waiting--;
      spare.push(full);
    });
    buffer = spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    used = 0;
  }

  async function finish(): Promise<void> {
    clearInterval(timer);
    flush();
    await written;
    await file.close().catch((cause: unknown) => {
      failure ??= diskError(path, cause);
    });
    if (failure !== undefined) throw failure;
  }

  const timer = setInterval(flush, flushEveryMs).unref();

  return {
    get dropped() {
      return dropped;
    },
    frame(from, frame, tMs) {
      if (closing !== undefined) return;
      const bytes = enhancedPacketBytes(frame.length);
      if (used + bytes > bufferBytes) {
        if (failure !== undefined || waiting >= maxWaiting) {
          dropped++;
          return;
        }
        flush();
      }
      used = writeEnhancedPacket(buffer, used, { from, frame, epochMs: startedAtMs + tMs });
    },
    close: () => (closing ??= finish()),
  };
}

async function writeAll(file: FileHandle, data: Buffer, length: number): Promise<void> {
  for (let at = 0; at < length; ) {
    const { bytesWritten } = await file.write(data, at, length - at);
    at += bytesWritten;
  }
}

function diskError(path: string, cause: unknown): HarnessError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new HarnessError('disk', `the capture ${path} cannot be written: ${said}`, {
    hint: 'free some disk space, or choose another folder with --out',
    details: { path },
    cause,
  });
}
