import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** Opening, checking and closing the file for each costs more than reading it: few, and ahead of the reader. */
export const chunkBytes = 1024 * 1024;

/** A host file as it stood when it was looked up; reading it after a change fails instead of mixing contents. */
export interface FileVersion {
  readonly path: string;
  readonly bytes: number;
  readonly identity: string;
}

export function fileVersion(path: string, stats: Stats): FileVersion {
  return { path, bytes: stats.size, identity: identityOf(stats) };
}

/** Chunks of host files, shared by all guests of a run, least recently used out first. */
export interface ContentCache {
  /** Chunk `index` of `chunkBytes` (the last one shorter); a promise only where it must come from the disk. */
  chunk(file: FileVersion, index: number): Buffer | Promise<Buffer>;
}

export function createContentCache({ maxBytes = 64 * 1024 * 1024 } = {}): ContentCache {
  const chunks = new Map<string, Buffer | Promise<Buffer>>();
  const capacity = Math.max(2, Math.floor(maxBytes / chunkBytes));

  const keep = (key: string, chunk: Buffer | Promise<Buffer>): void => {
    chunks.delete(key);
    chunks.set(key, chunk);
    for (const oldest of chunks.keys()) {
      if (chunks.size <= capacity) return;
      chunks.delete(oldest);
    }
  };

  return {
    chunk(file, index) {
      const key = `${file.path}\0${file.identity}\0${index}`;
      const known = chunks.get(key);
      if (known) {
        keep(key, known);
        return known;
      }
      const loading = readChunk(file, index).then(
        (chunk) => {
          if (chunks.get(key) === loading) chunks.set(key, chunk);
          return chunk;
        },
        (error: unknown) => {
          if (chunks.get(key) === loading) chunks.delete(key);
          throw error;
        },
      );
      keep(key, loading);
      return loading;
    },
  };
}

async function readChunk(file: FileVersion, index: number): Promise<Buffer> {
  // The path was resolved at look-up: a link there now is a change.
  const handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if (identityOf(await handle.stat()) !== file.identity) throw new Error(`${file.path} changed while it was served`);
    const position = index * chunkBytes;
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, file.bytes - position));
    for (let filled = 0; filled < chunk.length; ) {
      const { bytesRead } = await handle.read(chunk, filled, chunk.length - filled, position + filled);
      if (bytesRead === 0) throw new Error(`${file.path} became shorter while it was served`);
      filled += bytesRead;
    }
    return chunk;
  } finally {
    await handle.close();
  }
}

function identityOf(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}`;
}
