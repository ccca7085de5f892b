import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { HarnessError, systemErrorText } from '../model/errors.ts';
import { fileIdentity } from '../os/file-identity.ts';
import { openJsonCache } from '../os/json-cache.ts';
import { oncePerKey } from '../os/once-per-key.ts';
import { fingerprintFolder } from './folder-fingerprint.ts';

const fingerprintSchema = z.object({
  /** Lower-case hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().nonnegative(),
});
type Fingerprint = Readonly<z.infer<typeof fingerprintSchema>>;

export interface Fingerprints {
  /** Of a file, or of a folder and everything below it. Rejects with `missing-asset` where it cannot be read. */
  of(path: string): Promise<Fingerprint>;
  /** Writes the cache file if there is one and it has new entries. A failure to write is ignored. */
  save(): Promise<void>;
}

export const unreadable = (path: string, cause: unknown): HarnessError =>
  new HarnessError('missing-asset', `cannot read ${path}: ${systemErrorText(cause as Error)}`, {
    hint: 'Check the path and its permissions.',
    details: { path },
    cause,
  });

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
 * SHA-256 and size of files, cached by their identity: every case needs those of flash images of 64 MiB.
 * `cacheFile` keeps them across runs.
 */
export function createFingerprints({ cacheFile }: { cacheFile?: string | undefined } = {}): Fingerprints {
  const once = oncePerKey<Fingerprint>();
  const cache = openJsonCache<Fingerprint>({ file: cacheFile, version: 1, schema: fingerprintSchema });

  async function look(identity: string, path: string): Promise<Fingerprint> {
    const known = cache.get(identity);
    if (known !== undefined) return known;
    const fresh = await hash(path);
    cache.set(identity, fresh);
    return fresh;
  }

  const ofFile = (path: string): Promise<Fingerprint> => {
    const identity = fileIdentity(path);
    return once(identity, () => look(identity, path));
  };

  return {
    async of(path) {
      try {
        return await (statSync(path).isDirectory()
          ? fingerprintFolder(path, async (file) => ofFile(file))
          : ofFile(path));
      } catch (cause) {
        throw unreadable(path, cause);
      }
    },
    save: cache.save,
  };
}
