import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { HarnessError } from '../model/errors.ts';

interface Fingerprint {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

export interface Fingerprints {
  /** Rejects with HarnessError `missing-asset` when the file cannot be read. */
  of(path: string): Promise<Fingerprint>;
  /** Writes the cache file, when there is one and something new was learnt. A failure to write is ignored. */
  save(): Promise<void>;
}

const cacheSchema = z.record(
  z.string(),
  z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int() }),
);

async function readCache(path: string): Promise<Map<string, Fingerprint>> {
  try {
    return new Map(Object.entries(cacheSchema.parse(JSON.parse(await readFile(path, 'utf8')))));
  } catch {
    // A cache that is absent, torn or of another version is an empty one.
    return new Map();
  }
}

async function hash(path: string): Promise<Fingerprint> {
  const sha256 = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      sha256.update(chunk);
    }
  });
  return { sha256: sha256.digest('hex'), bytes };
}

/**
 * SHA-256 and size of files, remembered by path, inode, size and times: flash images of 64 MiB are asked for by
 * every case. `cacheFile` keeps them across runs.
 */
export function createFingerprints({ cacheFile }: { cacheFile?: string | undefined } = {}): Fingerprints {
  const pending = new Map<string, Promise<Fingerprint>>();
  const known = cacheFile === undefined ? Promise.resolve(new Map<string, Fingerprint>()) : readCache(cacheFile);
  let learnt = false;

  async function look(key: string, path: string): Promise<Fingerprint> {
    const cached = (await known).get(key);
    if (cached !== undefined) return cached;
    const fresh = await hash(path);
    (await known).set(key, fresh);
    learnt = true;
    return fresh;
  }

  return {
    async of(path) {
      try {
        const { mtimeMs, ctimeMs, size, ino, isFile } = await stat(path).then((s) => ({ ...s, isFile: s.isFile() }));
        if (!isFile) throw new Error('not a regular file');
        const key = `${resolve(path)}|${ino}|${size}|${mtimeMs}|${ctimeMs}`;
        let found = pending.get(key);
        if (found === undefined) {
          found = look(key, path);
          pending.set(key, found);
          found.catch(() => pending.delete(key));
        }
        return await found;
      } catch (cause) {
        throw new HarnessError('missing-asset', `cannot read ${path}: ${(cause as Error).message}`, {
          hint: 'check the path and its permissions, or run the set-up (npm run setup)',
          details: { path },
          cause,
        });
      }
    },
    async save() {
      if (cacheFile === undefined || !learnt) return;
      const part = `${cacheFile}.${process.pid}.part`;
      try {
        await mkdir(dirname(cacheFile), { recursive: true });
        await writeFile(part, JSON.stringify(Object.fromEntries(await known)));
        await rename(part, cacheFile);
        learnt = false;
      } catch {
        // Only time is lost: the next run hashes again.
      }
    },
  };
}
