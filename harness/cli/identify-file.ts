import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { identityOf } from '../assets/inspect/describe.ts';
import { inspectFile } from '../assets/inspect/inspect.ts';

export interface Identities {
  /** One line on what a file is, for the record; undefined where it cannot be looked into. */
  of(path: string): Promise<string | undefined>;
  /** Remembers what was learnt. A failure to write is ignored. */
  save(): Promise<void>;
}

/** What inspection says may change with this; older caches are then empty ones. */
const cacheSchema = z.strictObject({ version: z.literal(1), bySha256: z.record(z.string(), z.string()) });

/** Looking into a flash image takes half a second, so what was seen is remembered by content. */
export function createIdentities(fingerprints: Pick<Fingerprints, 'of'>, cacheFile: string): Identities {
  const known = readFile(cacheFile, 'utf8')
    .then((text) => new Map(Object.entries(cacheSchema.parse(JSON.parse(text)).bySha256)))
    .catch(() => new Map<string, string>());
  let learnt = false;

  return {
    async of(path) {
      try {
        const { sha256 } = await fingerprints.of(path);
        const seen = (await known).get(sha256);
        if (seen !== undefined) return seen;
        const identity = identityOf(await inspectFile(path));
        (await known).set(sha256, identity);
        learnt = true;
        return identity;
      } catch {
        return undefined;
      }
    },
    async save() {
      if (!learnt) return;
      const text = JSON.stringify({ version: 1, bySha256: Object.fromEntries(await known) });
      const aside = `${cacheFile}.${process.pid}`;
      await mkdir(dirname(cacheFile), { recursive: true })
        .then(() => writeFile(aside, text))
        .then(() => rename(aside, cacheFile))
        .catch(() => {});
    },
  };
}
