import { z } from 'zod';
import { openJsonCache } from '../os/json-cache.ts';
import { oncePerKey } from '../os/once-per-key.ts';
import type { Fingerprints } from './fingerprint.ts';
import type { Inspection } from './inspect/inspect.ts';

export interface Inspections {
  /** `inspectFile`, once per content. */
  of(path: string): Promise<Inspection>;
  /** Writes the cache file if there is one and it has new entries. A failure to write is ignored. */
  save(): Promise<void>;
}

/** Bumped with every change to what an inspection returns. */
const cacheVersion = 4;

/** Only the version is checked; the contents were written by `inspectFile`. */
const inspectionSchema = z.custom<Inspection>((value) => typeof (value as Inspection | null)?.type === 'string');

/** Inspections cached by content: a flash image takes a quarter of a second to open. */
export function createInspections({
  fingerprints,
  cacheFile,
}: {
  fingerprints: Pick<Fingerprints, 'of'>;
  cacheFile?: string | undefined;
}): Inspections {
  const once = oncePerKey<Inspection>();
  const cache = openJsonCache({ file: cacheFile, version: cacheVersion, schema: inspectionSchema });

  async function look(sha256: string, path: string): Promise<Inspection> {
    const known = cache.get(sha256);
    if (known !== undefined) return known;
    // Loaded lazily: the answer is usually in the cache.
    const { inspectFile } = await import('./inspect/inspect.ts');
    const fresh = await inspectFile(path);
    cache.set(sha256, fresh);
    return fresh;
  }

  return {
    async of(path) {
      const { sha256 } = await fingerprints.of(path);
      return once(sha256, () => look(sha256, path));
    },
    save: cache.save,
  };
}
