import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** Large, and read ahead: opening, checking and closing the file for each piece costs more than reading it. */
export const pieceBytes = 512 * 1024;

/** A host file as it stood when it was looked up; reading it after a change fails instead of mixing contents. */
export interface FileVersion {
  readonly path: string;
  readonly bytes: number;
  readonly identity: string;
}

export function fileVersion(path: string, stats: Stats): FileVersion {
  return { path, bytes: stats.size, identity: identityOf(stats) };
}

export interface FilePieces {
  /**
   * Piece `index` of the file (the last one shorter), valid until the next call; a promise only if it must
   * come from the disk. The next piece is read meanwhile.
   */
  piece(index: number): Buffer | Promise<Buffer>;
}

interface Piece {
  readonly index: number;
  /** As long as a piece, or as the file if that is shorter. */
  readonly room: Buffer;
  /** Undefined while it is being read. */
  content: Buffer | undefined;
  readonly loading: Promise<Buffer>;
}

/** One reader's view of a file: the piece it is in and the one after it, in two buffers that take turns. */
export function filePieces(file: FileVersion): FilePieces {
  const lastIndex = Math.floor((file.bytes - 1) / pieceBytes);
  let current: Piece | undefined;
  let ahead: Piece | undefined;
  let spare: Buffer | undefined;

  function load(index: number): Piece {
    const room = spare ?? Buffer.allocUnsafeSlow(Math.min(pieceBytes, file.bytes));
    spare = undefined;
    const loading = readPiece(file, index, room);
    const piece: Piece = { index, room, content: undefined, loading };
    loading.then(
      (content) => {
        piece.content = content;
      },
      () => {
        // Readers of this piece get the error; the next one reads it again.
        if (ahead === piece) ahead = undefined;
      },
    );
    return piece;
  }

  /** Readers waiting for the former piece have copied it before the file is open for the next. */
  function enter(piece: Piece, content: Buffer): Buffer {
    if (piece === current) return content;
    spare = current?.room;
    current = piece;
    ahead = piece.index < lastIndex ? load(piece.index + 1) : undefined;
    return content;
  }

  return {
    piece(index) {
      if (index === current?.index && current.content) return current.content;
      if (index !== ahead?.index) ahead = load(index);
      const piece = ahead;
      return piece.content ? enter(piece, piece.content) : piece.loading.then((content) => enter(piece, content));
    },
  };
}

async function readPiece(file: FileVersion, index: number, room: Buffer): Promise<Buffer> {
  // The path was resolved at look-up: a symbolic link there now means that it changed.
  const handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if (identityOf(await handle.stat()) !== file.identity) throw new Error(`${file.path} changed while it was served`);
    const position = index * pieceBytes;
    const content = room.subarray(0, file.bytes - position);
    for (let filled = 0; filled < content.length; ) {
      const { bytesRead } = await handle.read(content, filled, content.length - filled, position + filled);
      if (bytesRead === 0) throw new Error(`${file.path} became shorter while it was served`);
      filled += bytesRead;
    }
    return content;
  } finally {
    await handle.close();
  }
}

function identityOf(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}`;
}
