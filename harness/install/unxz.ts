import { ReadableStream } from 'node:stream/web';
import { unfetchable } from './package-source.ts';

/** The decompressed bytes of an xz stream, as they come. */
export async function* unxz(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const { default: xz } = await import('xz-decompress');
  for await (const { buffer, byteOffset, length } of new xz.XzReadableStream(ReadableStream.from(compressed))) {
    yield Buffer.from(buffer, byteOffset, length);
  }
}

/** An xz file in memory, of at most `maxBytes` decompressed. */
export async function unxzWhole(compressed: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of unxz(compressed)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw unfetchable(`an index has more than ${maxBytes} bytes once decompressed`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
