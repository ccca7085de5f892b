import type { Duplex } from 'node:stream';
import { ethernetHeaderBytes, minFrameBytes } from '../codecs/ethernet.ts';
import { createFrameDecoder, maxFrameBytes } from './frame-decoder.ts';
import type { Link } from './link.ts';

const prefixBytes = 4;
const slabBytes = 256 * 1024;
/** Frames sent during one turn of the event loop leave in one write, of about this size at most. */
const batchBytes = 32 * 1024;
/** A guest that stops reading loses frames rather than filling our memory. */
const maxQueuedBytes = 8 * 1024 * 1024;

/**
 * A link over QEMU's `-netdev stream` (or `socket`): each frame prefixed by its length as 4 octets,
 * big-endian. The peer's end and every error of the stream end the link in silence.
 */
export function linkOverStream(stream: Duplex): Link {
  const frameListeners: ((frame: Buffer) => void)[] = [];
  const drainListeners: (() => void)[] = [];
  const malformedListeners: ((reason: string) => void)[] = [];
  let open = true;
  let slab = Buffer.allocUnsafeSlow(slabBytes);
  let batchStart = 0;
  let batchEnd = 0;
  let flushPending = false;

  const decoder = createFrameDecoder(
    (frame) => {
      if (frame.length < ethernetHeaderBytes) malformed('frame shorter than an Ethernet header');
      else for (const listener of frameListeners) listener(frame);
    },
    () => {
      malformed(`frame longer than ${maxFrameBytes} bytes`);
      close();
    },
  );

  function malformed(reason: string): void {
    for (const listener of malformedListeners) listener(reason);
  }

  function drained(): void {
    for (const listener of drainListeners) listener();
  }

  function flush(): void {
    flushPending = false;
    if (batchEnd === batchStart || !open) return;
    stream.write(slab.subarray(batchStart, batchEnd));
    // Nothing queued: the kernel has its copy, as it nearly always has at once, and the same octets serve again.
    if (stream.writableLength === 0) batchEnd = 0;
    batchStart = batchEnd;
  }

  function close(): void {
    if (!open) return;
    flush();
    open = false;
    stream.destroy();
  }

  stream.on('data', (chunk: Buffer) => {
    if (open) decoder.push(chunk);
  });
  stream.on('drain', drained);
  // EPIPE and ECONNRESET are how a guest's end looks from here; the process itself is watched elsewhere.
  stream.on('error', () => {});
  stream.on('close', () => {
    open = false;
    drained();
  });
  stream.resume();

  return {
    onFrame: (listener) => void frameListeners.push(listener),
    onDrain: (listener) => void drainListeners.push(listener),
    onMalformed: (listener) => void malformedListeners.push(listener),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    close,
    send(parts) {
      if (!open || !stream.writable) return true;
      let length = 0;
      for (const part of parts) length += part.length;
      const paddedLength = Math.max(length, minFrameBytes);
      if (stream.writableLength + paddedLength > maxQueuedBytes) return false;
      if (slab.length - batchEnd < prefixBytes + paddedLength) {
        flush();
        // Not while the stream still holds what was written.
        if (stream.writableLength > 0) slab = Buffer.allocUnsafeSlow(slabBytes);
        batchStart = 0;
        batchEnd = 0;
      }
      batchEnd = slab.writeUInt32BE(paddedLength, batchEnd);
      for (const part of parts) {
        slab.set(part, batchEnd);
        batchEnd += part.length;
      }
      if (paddedLength > length) {
        slab.fill(0, batchEnd, batchEnd + paddedLength - length);
        batchEnd += paddedLength - length;
      }
      if (batchEnd - batchStart >= batchBytes) {
        flush();
      } else if (!flushPending) {
        flushPending = true;
        process.nextTick(flush);
      }
      return !stream.writableNeedDrain;
    },
  };
}
