import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Fingerprints } from './fingerprint.ts';
import { type Inspection, inspectFile } from './inspect/inspect.ts';

export interface Inspections {
  /** As `inspectFile`, once per content. */
  of(path: string): Promise<Inspection>;
  /** Writes the cache file, when there is one and something new was learnt. A failure to write is ignored. */
  save(): Promise<void>;
}

/** Raised with every change of what an inspection says, so that old answers are dropped. */
const cacheVersion = 1;

async function readCache(path: string): Promise<Map<string, Inspection>> {
  try {
    const { version, entries } = JSON.parse(await readFile(path, 'utf8')) as {
      version: number;
      entries: Record<string, Inspection>;
    };
    return new Map(version === cacheVersion ? Object.entries(entries) : []);
  } catch {
    return new Map();
  }
}

/** Inspections remembered by content: a flash image takes a quarter of a second to open. */
export function createInspections({
  fingerprints,
  cacheFile,
}: {
  fingerprints: Fingerprints;
  cacheFile?: string | undefined;
}): Inspections {
  const pending = new Map<string, Promise<Inspection>>();
  const known = cacheFile === undefined ? Promise.resolve(new Map<string, Inspection>()) : readCache(cacheFile);
  let learnt = false;

  async function look(sha256: string, path: string): Promise<Inspection> {
    const cached = (await known).get(sha256);
    if (cached !== undefined) return cached;
    const fresh = await inspectFile(path);
    (await known).set(sha256, fresh);
    learnt = true;
    return fresh;
  }

  return {
    async of(path) {
      const { sha256 } = await fingerprints.of(path);
      const found = pending.get(sha256) ?? look(sha256, path);
      pending.set(sha256, found);
      return found;
    },
    async save() {
      if (cacheFile === undefined || !learnt) return;
      const part = `${cacheFile}.${process.pid}.part`;
      try {
        await mkdir(dirname(cacheFile), { recursive: true });
        await writeFile(part, JSON.stringify({ version: cacheVersion, entries: Object.fromEntries(await known) }));
        await rename(part, cacheFile);
        learnt = false;
      } catch {
        // Only time is lost: the next run looks again.
      }
    },
  };
}
