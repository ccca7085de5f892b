import { join } from 'node:path';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { createInspections } from '../../harness/assets/inspections.ts';
import { loadSets } from '../../harness/assets/sets/sets.ts';
import type { ArtefactSources } from '../../harness/resolve/resolving.ts';

/** A machine with no packages: only what lies in the folder's `cache` and in these folders is there. */
export async function bareSources(folder: string, setDirs: readonly string[] = []): Promise<ArtefactSources> {
  const fingerprints = createFingerprints();
  const inspections = createInspections({ fingerprints });
  const host = { env: {}, root: join(folder, 'root') };
  return {
    sets: await loadSets({ cacheDir: join(folder, 'cache'), setDirs, host, inspections }),
    fingerprints,
    inspections,
    isolation: async () => ({ user: false, attach: 'tap' }),
  };
}
