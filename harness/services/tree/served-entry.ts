import { type FileVersion, filePieces, pieceBytes } from './file-pieces.ts';

/** One reader of one served file: what a TFTP transfer or an HTTP response works with. */
export interface ServedEntry {
  readonly kind: 'file';
  /** As looked up: relative, single slashes. */
  readonly name: string;
  readonly bytes: number;
  /** HTTP ends the body here despite promising `bytes`. */
  readonly truncateToBytes: number | undefined;
  /**
   * Copies [offset, offset + length), cut at the end of the file, to `target` at `at`, and returns the
   * number of bytes copied: at once if the content was read ahead, otherwise as a promise, which
   * rejects if the host file cannot be read or has changed.
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

export function fileEntry(name: string, file: FileVersion, truncateToBytes?: number): ServedEntry {
  const pieces = filePieces(file);

  const copy = (offset: number, end: number, target: Buffer, at: number): number | Promise<number> => {
    for (let position = offset; position < end; ) {
      const index = Math.floor(position / pieceBytes);
      const copied = position - offset;
      const piece = pieces.piece(index);
      if (!Buffer.isBuffer(piece)) {
        // The next call finds it loaded.
        return piece.then(async () => copied + (await copy(position, end, target, at + copied)));
      }
      position += piece.copy(target, at + copied, position - index * pieceBytes, end - index * pieceBytes);
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
