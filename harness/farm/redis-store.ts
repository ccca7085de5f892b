import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import { z } from 'zod';
import { HarnessError } from '../model/errors.ts';
import type { FarmConnection } from './connect.ts';
import { type Content, type FileStore, notStored, writeChecked } from './file-store.ts';
import { keys } from './keys.ts';
import { type Waiting, withRoom } from './room.ts';

const chunkBytes = 1 << 20;
/** Redis forgets files that nobody has asked for in this time. */
const keptS = 24 * 3600;
/** A gzip stream is hardly longer than what it packs. */
const mostChunks = ({ bytes }: Content): number => Math.ceil((bytes * 1.01 + chunkBytes) / chunkBytes);

/** Written last: without it the file is not there. */
const headSchema = z.strictObject({
  upload: z.string().regex(/^[0-9a-f]{16}$/),
  chunks: z.int().nonnegative(),
  packedBytes: z.int().nonnegative(),
});
type Head = z.infer<typeof headSchema>;

async function* inChunks(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const part of stream) {
    parts.push(part);
    length += part.length;
    if (length < chunkBytes) continue;
    const all = Buffer.concat(parts);
    let at = 0;
    for (; at + chunkBytes <= all.length; at += chunkBytes) yield all.subarray(at, at + chunkBytes);
    parts = [all.subarray(at)];
    length = all.length - at;
  }
  if (length > 0) yield Buffer.concat(parts);
}

/** Files in Redis itself: compressed, in chunks of 1 MiB, gone a day after they were last used. */
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

  async function* chunksOf(content: Content): AsyncGenerator<Buffer> {
    const head = await headOf(content.sha256);
    if (head === undefined) throw notStored(content, 'Redis does not have it any more');
    if (head.chunks > mostChunks(content)) throw notStored(content, `it is in ${head.chunks} chunks, too many`);
    for (const key of chunkKeys(content.sha256, head)) {
      const chunk = await redis.getBuffer(key);
      if (chunk === null) throw notStored(content, 'Redis does not have all of it any more');
      yield chunk;
    }
  }

  async function upload(sha256: string, path: string): Promise<number> {
    const name = randomBytes(8).toString('hex');
    let packedBytes = 0;
    let chunks = 0;
    try {
      for await (const chunk of inChunks(createReadStream(path).pipe(createGzip({ level: 1 })))) {
        await redis.set(keys.chunk(sha256, name, chunks), chunk, 'EX', keptS);
        packedBytes += chunk.length;
        chunks += 1;
      }
      await redis.set(keys.file(sha256), JSON.stringify({ upload: name, chunks, packedBytes }), 'EX', keptS);
    } catch (error) {
      await redis.unlink(...chunkKeys(sha256, { upload: name, chunks }), keys.file(sha256)).catch(() => {});
      throw error;
    }
    return packedBytes;
  }

  return {
    async put({ sha256 }, path) {
      const known = await headOf(sha256);
      if (known !== undefined && (await keep(sha256, known))) return 0;
      return withRoom(() => upload(sha256, path), waiting);
    },
    async get(content, to) {
      const packed = Readable.from(chunksOf(content));
      const plain = packed.compose(createGunzip());
      await writeChecked(content, plain, to).catch((cause: Error) => {
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
