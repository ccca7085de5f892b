import { type FileHandle, open } from 'node:fs/promises';
import { boundReached, recordBounds } from '../../model/bounds.ts';
import { HarnessError } from '../../model/errors.ts';
import type { EventSink } from '../../model/events.ts';
import { enhancedPacketBytes, pcapngHeader, writeEnhancedPacket } from './pcapng.ts';

export interface Capture {
  /** Records a frame (copied during the call) sent by `from` at `tMs` since the case started; none once the capture is full. */
  frame(from: 'guest' | 'server', frame: Buffer, tMs: number): void;
  /** Flushes and closes; rejects with a `disk` error if something could not be written. */
  close(): Promise<void>;
}

export interface CaptureOptions {
  /** The wall clock, in ms since the epoch, at which `tMs` was 0. */
  startedAtMs: number;
  /** Gets a `run/bounded` event when the capture first leaves frames out: it is full, or the disk cannot keep up. */
  emit: EventSink;
  maxBytes?: number;
}

const bufferBytes = 512 * 1024;
/** Written buffers kept for further frames. */
const mostSpare = 2;
/** A killed harness loses no more of the capture than this. */
const flushEveryMs = 1000;

/**
 * Opens a pcapng file and records frames in it, up to a size. Writes go out in whole blocks, so a file cut off by a kill
 * still opens.
 */
export async function createCapture(path: string, options: CaptureOptions): Promise<Capture> {
  const file = await open(path, 'w').catch((cause: unknown) => Promise.reject(diskError(path, cause)));
  return captureTo(file, path, options);
}

function captureTo(
  file: FileHandle,
  path: string,
  { startedAtMs, emit, maxBytes = recordBounds.captureBytes }: CaptureOptions,
): Capture {
  const spare: Buffer[] = [];
  let buffer: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  let used = pcapngHeader('netboot-harness').copy(buffer);
  let room = maxBytes - used;
  let full = false;
  let behind = false;
  let waiting = 0;
  let failure: HarnessError | undefined;
  let written = Promise.resolve();
  let closing: Promise<void> | undefined;
  /** Set while something waits: at first, the file's own header. */
  let timer: NodeJS.Timeout | undefined = setTimeout(flush, flushEveryMs).unref();

  /** Hands the buffer to the disk, in order, and takes another. */
  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (used === 0) return;
    const filled = buffer;
    const length = used;
    waiting++;
    written = written.then(async () => {
      try {
        if (failure === undefined) await writeAll(file, filled, length);
      } catch (cause) {
        failure = diskError(path, cause);
      }
      waiting--;
      if (spare.length < mostSpare) spare.push(filled);
    });
    buffer = spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    used = 0;
  }

  function fallBehind(): void {
    if (behind) return;
    behind = true;
    emit(boundReached('captureBacklogBytes'));
  }

  async function finish(): Promise<void> {
    flush();
    await written;
    await file.close().catch((cause: unknown) => {
      failure ??= diskError(path, cause);
    });
    if (failure !== undefined) throw failure;
  }

  return {
    frame(from, frame, tMs) {
      if (closing !== undefined || full) return;
      const bytes = enhancedPacketBytes(frame.length);
      if (bytes > room) {
        full = true;
        emit(boundReached('captureBytes', maxBytes));
        return;
      }
      if (used + bytes > bufferBytes) {
        if (failure !== undefined) return;
        if (waiting * bufferBytes >= recordBounds.captureBacklogBytes) return fallBehind();
        flush();
      }
      room -= bytes;
      used = writeEnhancedPacket(buffer, used, { from, frame, epochMs: startedAtMs + tMs });
      timer ??= setTimeout(flush, flushEveryMs).unref();
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
    hint: 'Free some disk space, or choose another folder with --out.',
    details: { path },
    cause,
  });
}
