import type { Duplex } from 'node:stream';
import { minFrameBytes } from '../codecs/ethernet.ts';
import { framePrefixBytes } from './frame-decoder.ts';

const slabBytes = 256 * 1024;
/** Frames sent during one turn of the event loop leave in one write, of about this size at most. */
const batchBytes = 32 * 1024;
/** A guest that stops reading loses frames instead of filling our memory. */
const maxQueuedBytes = 8 * 1024 * 1024;

export interface FrameWriter {
  /** Takes a frame in parts; false if the stream has enough for now, or so much already that the frame is dropped. */
  send(parts: readonly Buffer[]): boolean;
  /** Flushes what was taken. */
  flush(): void;
}

/** Writes frames to a stream, each prefixed by its length and padded to Ethernet's minimum. */
export function createFrameWriter(stream: Duplex): FrameWriter {
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  let batchStart = 0;
  let batchEnd = 0;
  let flushPending = false;

  function flush(): void {
    flushPending = false;
    if (batchEnd === batchStart || stream.destroyed) return;
    stream.write(slab.subarray(batchStart, batchEnd));
    // Nothing queued: the kernel has taken its copy, as it nearly always does at once, so the buffer can be reused.
    if (stream.writableLength === 0) batchEnd = 0;
    batchStart = batchEnd;
  }

  function makeRoom(bytes: number): void {
    if (slab.length - batchEnd >= bytes) return;
    flush();
    // Not while the stream still holds what was written.
    if (stream.writableLength > 0) slab = Buffer.allocUnsafeSlow(slabBytes);
    batchStart = 0;
    batchEnd = 0;
  }

  function append(parts: readonly Buffer[], paddedBytes: number): void {
    batchEnd = slab.writeUInt32BE(paddedBytes, batchEnd);
    const end = batchEnd + paddedBytes;
    for (const part of parts) {
      slab.set(part, batchEnd);
      batchEnd += part.length;
    }
    if (batchEnd < end) slab.fill(0, batchEnd, end);
    batchEnd = end;
  }

  return {
    flush,
    send(parts) {
      let bytes = 0;
      for (const part of parts) bytes += part.length;
      const paddedBytes = Math.max(bytes, minFrameBytes);
      if (stream.writableLength + paddedBytes > maxQueuedBytes) return false;
      makeRoom(framePrefixBytes + paddedBytes);
      append(parts, paddedBytes);
      if (batchEnd - batchStart >= batchBytes) flush();
      else if (!flushPending) {
        flushPending = true;
        process.nextTick(flush);
      }
      return !stream.writableNeedDrain;
    },
  };
}
