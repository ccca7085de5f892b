import { type ContentCache, chunkBytes, type FileVersion } from './content-cache.ts';

/** One reader of one served file: what a TFTP transfer or an HTTP response works with. */
export interface ServedEntry {
  readonly kind: 'file';
  /** As looked up: relative, single slashes. */
  readonly name: string;
  readonly bytes: number;
  /** HTTP ends the body here although it promised `bytes`. */
  readonly truncateToBytes: number | undefined;
  /**
   * Copies [offset, offset + length), cut at the end of the file, to `target` at `at`, and gives the
   * number of octets copied: at once where the content is read ahead, otherwise as a promise, which
   * rejects where the host file cannot be read or has changed.
   */
  read(offset: number, length: number, target: Buffer, at?: number): number | Promise<number>;
}

export function memoryEntry(name: string, content: Buffer, truncateToBytes?: number): ServedEntry {
  return {
    kind: 'file',
    name,
    bytes: content.length,
    truncateToBytes,
    read: (offset, length, target, at = 0) => content.copy(target, at, offset, offset + length),
  };
}

export function fileEntry(name: string, file: FileVersion, cache: ContentCache, truncateToBytes?: number): ServedEntry {
  const lastIndex = Math.floor((file.bytes - 1) / chunkBytes);
  let index = -1;
  let start = 0;
  let chunk: Buffer = Buffer.alloc(0);

  const enter = (nextIndex: number, next: Buffer): void => {
    index = nextIndex;
    start = index * chunkBytes;
    chunk = next;
    if (index === lastIndex) return;
    const ahead = cache.chunk(file, index + 1);
    // Whoever reads that chunk is told; reading ahead is only a guess.
    if (!Buffer.isBuffer(ahead)) ahead.catch(() => {});
  };

  const copy = (offset: number, end: number, target: Buffer, at: number): number | Promise<number> => {
    let position = offset;
    while (position < end) {
      const wanted = Math.floor(position / chunkBytes);
      if (wanted !== index) {
        const found = cache.chunk(file, wanted);
        if (!Buffer.isBuffer(found)) {
          const copied = position - offset;
          return found.then(async (loaded) => {
            enter(wanted, loaded);
            return copied + (await copy(offset + copied, end, target, at + copied));
          });
        }
        enter(wanted, found);
      }
      const stop = Math.min(end, start + chunk.length);
      chunk.copy(target, at + position - offset, position - start, stop - start);
      position = stop;
    }
    return Math.max(0, end - offset);
  };

  return {
    kind: 'file',
    name,
    bytes: file.bytes,
    truncateToBytes,
    read: (offset, length, target, at = 0) => copy(offset, Math.min(offset + length, file.bytes), target, at),
  };
}
