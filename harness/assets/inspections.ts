import type { Fingerprints } from './fingerprint.ts';
import type { Inspection } from './inspect/inspect.ts';
import { openRemembered } from './remembered.ts';

export interface Inspections {
  /** As `inspectFile`, once per content. */
  of(path: string): Promise<Inspection>;
  /** Writes the cache file, when there is one and something new was learnt. A failure to write is ignored. */
  save(): Promise<void>;
}

/** Raised with every change of what an inspection says. */
const cacheVersion = 1;

const isInspection = (value: unknown): value is Inspection => typeof (value as Inspection | null)?.type === 'string';

/** Inspections remembered by content: a flash image takes a quarter of a second to open. */
export function createInspections({
  fingerprints,
  cacheFile,
}: {
  fingerprints: Pick<Fingerprints, 'of'>;
  cacheFile?: string | undefined;
}): Inspections {
  const pending = new Map<string, Promise<Inspection>>();
  const remembered = openRemembered({ file: cacheFile, version: cacheVersion, isFact: isInspection });

  async function look(sha256: string, path: string): Promise<Inspection> {
    const known = remembered.get(sha256);
    if (known !== undefined) return known;
    // Loaded here: mostly the answer is remembered.
    const { inspectFile } = await import('./inspect/inspect.ts');
    const fresh = await inspectFile(path);
    remembered.set(sha256, fresh);
    return fresh;
  }

  return {
    async of(path) {
      const { sha256 } = await fingerprints.of(path);
      const found = pending.get(sha256) ?? look(sha256, path);
      pending.set(sha256, found);
      return found;
    },
    save: remembered.save,
  };
}
