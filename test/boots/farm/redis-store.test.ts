import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { createFingerprints } from '../../../harness/assets/fingerprint.ts';
import type { FarmConnection } from '../../../harness/farm/connect.ts';
import { prefix } from '../../../harness/farm/keys.ts';
import { openRedisStore } from '../../../harness/farm/redis-store.ts';
import { lastBlock } from '../../../harness/os/packed-pieces.ts';
import { folderOfTest } from '../../temporary-folder.ts';
import { startRedis } from './redis.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const storeIn = (redis: FarmConnection) =>
  openRedisStore(redis, { say: () => {}, signal: new AbortController().signal });

/** A file below the test's folder, as it is named in a farm. */
async function written(name: string, bytes: Buffer) {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, content: await createFingerprints().of(path) };
}

it.each([
  ['nothing', Buffer.alloc(0), 0],
  ['what shrinks', Buffer.alloc((3 << 20) + 7, 'boot '), 100_000],
  // Such as a worker's bundle, a zip file.
  ['what does not shrink', randomBytes((3 << 20) + 7), (3 << 20) * 1.0001 + 100],
])('keeps %s in Redis, and gives it back', async (_, bytes, most) => {
  await using server = await startRedis(folder);
  const redis = await server.connect();
  const store = storeIn(redis);
  const { path, content } = await written('a', bytes);
  await store.put(content, path);
  const chunks = await redis.keys(`${prefix}:chunk:*`);
  const lengths = await Promise.all(chunks.map((key) => redis.strlen(key)));
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(most);
  await store.get(content, join(folder, 'b'));
  expect(readFileSync(join(folder, 'b')).equals(bytes)).toBe(true);
  await store.remove(content.sha256);
  expect(await redis.keys(`${prefix}:*`)).toEqual([]);
});

it.each([
  ['is cut off', (chunk: Buffer) => chunk.subarray(0, -100)],
  ['is gone', () => undefined],
  ['is the end of a stream', () => Buffer.concat([lastBlock, Buffer.alloc(1 << 20)])],
  ['is not deflated', () => Buffer.alloc(1 << 20, 0xff)],
  ['unpacks to 16 MiB', () => deflateRawSync(Buffer.alloc(1 << 24))],
])('refuses a file of which a chunk %s', async (_, damaged) => {
  await using server = await startRedis(folder);
  const redis = await server.connect();
  const store = storeIn(redis);
  const { path, content } = await written('a', randomBytes(3 << 20));
  await store.put(content, path);
  const [key = ''] = await redis.keys(`${prefix}:chunk:*:1`);
  const chunk = damaged((await redis.getBuffer(key)) as Buffer);
  await (chunk ? redis.set(key, chunk) : redis.unlink(key));
  await expect(store.get(content, join(folder, 'b'))).rejects.toThrow(
    `the file with SHA-256 ${content.sha256} cannot be had from the farm: `,
  );
  expect(readdirSync(folder)).not.toContain('b');
});
