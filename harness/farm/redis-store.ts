import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { HarnessError } from '../model/errors.ts';
import { packedPieces, pieceBytes, unpackedPiece } from '../os/packed-pieces.ts';
import type { FarmConnection } from './connect.ts';
import { type Content, type FileStore, notStored, writeChecked } from './file-store.ts';
import { keys } from './keys.ts';
import { type Waiting, withRoom } from './room.ts';

/** Redis forgets files that nobody has asked for in this time. */
const keptS = 24 * 3600;
/** Each piece is a chunk. */
const mostChunks = ({ bytes }: Content): number => Math.ceil(bytes / pieceBytes);

/** Written last: without it the file is not there. */
const headSchema = z.strictObject({
  upload: z.string().regex(/^[0-9a-f]{16}$/),
  chunks: z.int().nonnegative(),
});
type Head = z.infer<typeof headSchema>;

/** Files in Redis itself: in chunks of 1 MiB, compressed where it helps, gone a day after they were last used. */
export function openRedisStore(redis: FarmConnection, waiting: Waiting): FileStore {
  async function headOf(sha256: string): Promise<Head | undefined> {
    const text = await redis.get(keys.file(sha256));
    const parsed = headSchema.safeParse(JSON.parse(text ?? 'null'));
    return parsed.success ? parsed.data : undefined;
  }

  const chunkKeys = (sha256: string, { upload, chunks }: Pick<Head, 'upload' | 'chunks'>): string[] =>
    Array.from({ length: chunks }, (_, nth) => keys.chunk(sha256, upload, nth));

  /** False if part of it is gone. */
  async function keep(sha256: string, head: Head): Promise<boolean> {
    const all = [keys.file(sha256), ...chunkKeys(sha256, head)];
    const kept = await Promise.all(all.map((key) => redis.expire(key, keptS)));
    return kept.every((found) => found === 1);
  }

  async function* piecesOf(content: Content): AsyncGenerator<Buffer> {
    const head = await headOf(content.sha256);
    if (head === undefined) throw notStored(content, 'Redis does not have it any more');
    if (head.chunks > mostChunks(content)) throw notStored(content, `it is in ${head.chunks} chunks, too many`);
    for (const key of chunkKeys(content.sha256, head)) {
      const chunk = await redis.getBuffer(key);
      if (chunk === null) throw notStored(content, 'Redis does not have all of it any more');
      yield await unpackedPiece(chunk);
    }
  }

  async function upload(sha256: string, path: string): Promise<void> {
    const name = randomBytes(8).toString('hex');
    let chunks = 0;
    try {
      for await (const { packed } of packedPieces(path)) {
        await redis.set(keys.chunk(sha256, name, chunks), packed, 'EX', keptS);
        chunks += 1;
      }
      await redis.set(keys.file(sha256), JSON.stringify({ upload: name, chunks }), 'EX', keptS);
    } catch (error) {
      await redis.unlink(...chunkKeys(sha256, { upload: name, chunks }), keys.file(sha256)).catch(() => {});
      throw error;
    }
  }

  return {
    async put({ sha256 }, path) {
      const known = await headOf(sha256);
      if (known !== undefined && (await keep(sha256, known))) return;
      await withRoom(() => upload(sha256, path), waiting);
    },
    async get(content, to) {
      await writeChecked(content, piecesOf(content), to).catch((cause: Error) => {
        if (cause instanceof HarnessError) throw cause;
        throw notStored(content, cause.message, cause);
      });
    },
    async remove(sha256) {
      const head = await headOf(sha256);
      if (head !== undefined) await redis.unlink(keys.file(sha256), ...chunkKeys(sha256, head));
    },
  };
}
