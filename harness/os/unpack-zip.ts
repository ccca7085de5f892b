import { closeSync, createReadStream, createWriteStream, fstatSync, mkdirSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { openBounded } from './bounded-file.ts';
import { BadZip, readZipDirectory, type ZipEntry, type ZipLimits } from './zip-directory.ts';

const localBytes = 30;

/** Where an entry's data begins; its local header must agree with the directory (APPNOTE §4.3.7). */
function dataOffset(read: (offset: number, length: number) => Buffer, { name, offset, isStored }: ZipEntry): number {
  const header = read(offset, localBytes);
  const [nameBytes, extraBytes] = [header.readUInt16LE(26), header.readUInt16LE(28)];
  const isSame =
    header.readUInt32LE(0) === 0x04034b50 &&
    header.readUInt16LE(8) === (isStored ? 0 : 8) &&
    nameBytes === name.length &&
    read(offset + localBytes, nameBytes).toString('latin1') === name;
  if (!isSame) throw new BadZip(`${name} is described in two ways`);
  return offset + localBytes + nameBytes + extraBytes;
}

/** Counts and sums what passes; one byte more than promised is an error. */
function meter({ name, bytes }: ZipEntry): { stream: Transform; seen: { bytes: number; crc32: number } } {
  const seen = { bytes: 0, crc32: 0 };
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      seen.bytes += chunk.length;
      if (seen.bytes > bytes) return done(new BadZip(`${name} unpacks to more than the ${bytes} bytes it promises`));
      seen.crc32 = crc32(chunk, seen.crc32);
      done(null, chunk);
    },
  });
  return { stream, seen };
}

async function unpackEntry(path: string, entry: ZipEntry, start: number, to: string): Promise<void> {
  const { name, packedBytes, bytes, isStored } = entry;
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  const out = createWriteStream(to, { flags: 'wx', mode: 0o600 });
  const { stream, seen } = meter(entry);
  if (packedBytes === 0) await pipeline([], stream, out);
  else {
    const packed = createReadStream(path, { start, end: start + packedBytes - 1 });
    if (isStored) await pipeline(packed, stream, out);
    else {
      const inflate = createInflateRaw();
      await pipeline(packed, inflate, stream, out);
      if (inflate.bytesWritten !== packedBytes) throw new BadZip(`${name} has bytes after its end`);
    }
  }
  if (seen.bytes !== bytes || seen.crc32 !== entry.crc32) throw new BadZip(`${name} is damaged: its checksum is wrong`);
}

/**
 * Unpacks an untrusted archive into an empty folder: plain files below it, and nothing else.
 * @throws BadZip with what is wrong with it; Node's own errors for what cannot be read or written.
 */
export async function unpackZip(path: string, folder: string, limits: ZipLimits): Promise<void> {
  const fd = openBounded(path, limits.maxTotalBytes);
  try {
    const { size } = fstatSync(fd);
    const read = (offset: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      if (readSync(fd, bytes, 0, length, offset) !== length) throw new BadZip('it is cut off');
      return bytes;
    };
    const entries = readZipDirectory(read, size, limits);
    const starts = entries.map((entry) => dataOffset(read, entry));
    for (const [nth, entry] of entries.entries()) {
      await unpackEntry(path, entry, starts[nth] as number, join(folder, entry.name));
    }
  } catch (error) {
    // zlib's own: invalid codes, an unexpected end.
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_'))
      throw new BadZip(`it is damaged: ${(error as Error).message}`);
    throw error;
  } finally {
    closeSync(fd);
  }
}
