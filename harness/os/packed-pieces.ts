import { createReadStream } from 'node:fs';
import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync, inflateRaw, type ZlibOptions } from 'node:zlib';

export const pieceBytes = 1 << 20;
const sampleBytes = 16 << 10;
/** In packets, compressed kernels and installers shrink to 0.91 of their length, uncompressed ones to half. */
const mostLeft = 7 / 8;
/** zlib's fastest: level 6 makes captures smaller by another fiftieth, for half as much work again. */
const fast = { level: constants.Z_BEST_SPEED };

/** Ends a raw deflate stream: a block with no content (RFC 1951 §3.2.6). */
export const lastBlock: Uint8Array<ArrayBuffer> = Uint8Array.of(0x03, 0x00);

/** Whether deflating a piece is worth the work, by a sample from its middle. */
function shrinks(piece: Buffer): boolean {
  const at = Math.max(0, (piece.length - sampleBytes) >> 1);
  const sample = piece.subarray(at, at + sampleBytes);
  return deflateRawSync(sample, fast).length < sample.length * mostLeft;
}

const deflated = promisify<Buffer, ZlibOptions, Buffer<ArrayBuffer>>(deflateRaw);
const inflated = promisify<Buffer, ZlibOptions, Buffer<ArrayBuffer>>(inflateRaw);
/** A piece ends on a byte, and does not end the stream. */
const finishFlush = constants.Z_SYNC_FLUSH;
/** zlib's buffer: the whole piece fits, also one that grows by the headers of its blocks. */
const chunkSizeOf = (bytes: number): number => bytes + (bytes >> 8) + 128;

/**
 * A file's content in pieces of `pieceBytes`, each with its `packed` form: whole blocks of a raw deflate stream that goes on
 * (RFC 1951), which only copy a piece that would hardly shrink. The work is done in zlib's threads.
 */
export async function* packedPieces(path: string): AsyncGenerator<{ piece: Buffer; packed: Buffer<ArrayBuffer> }> {
  for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) {
    const level = shrinks(piece) ? fast.level : constants.Z_NO_COMPRESSION;
    yield { piece, packed: await deflated(piece, { level, finishFlush, chunkSize: chunkSizeOf(piece.length) }) };
  }
}

/** Rejects for what is no packed piece; one that was cut off may be unpacked in part. */
export const unpackedPiece = (packed: Buffer): Promise<Buffer> =>
  inflated(packed, { finishFlush, chunkSize: chunkSizeOf(pieceBytes), maxOutputLength: pieceBytes });
