import { z } from 'zod';
import { openJsonCache } from '../os/json-cache.ts';
import { oncePerKey } from '../os/once-per-key.ts';
import type { Fingerprints } from './fingerprint.ts';
import type { Inspection } from './inspect/inspect.ts';

export interface Inspections {
  /** As `inspectFile`, once per content. */
  of(path: string): Promise<Inspection>;
  /** Writes the cache file, when there is one and something new was learnt. A failure to write is ignored. */
  save(): Promise<void>;
}

/** Raised with every change of what an inspection says. */
const cacheVersion = 3;

/** Told by its version; what is inside was written by `inspectFile`. */
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
    // Loaded here: mostly the answer is in the cache.
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
