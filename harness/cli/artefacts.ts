import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createFingerprints, type Fingerprints } from '../assets/fingerprint.ts';
import { createInspections, type Inspections } from '../assets/inspections.ts';
import { manifestFile, readManifest } from '../assets/set-manifest.ts';
import { type ArtefactSets, loadSets } from '../assets/sets.ts';
import { HarnessError } from '../model/errors.ts';
import { cacheFolder } from './cache-folder.ts';
import type { CliIo } from './io.ts';

/** Artefacts of this host and of the folders given with `--set`, as plan/ and run/ take them. */
export interface Artefacts {
  sets: ArtefactSets;
  fingerprints: Fingerprints;
  inspections: Pick<Inspections, 'of'>;
  accelCacheFile: string;
  lengthsFile: string;
  /** The names that `--set` stands for, in order. */
  chosenSets: readonly string[];
}

export async function openArtefacts(given: readonly string[], io: Pick<CliIo, 'env'>): Promise<Artefacts> {
  const cacheDir = cacheFolder(io.env);
  const isFolder = (set: string) => set.includes('/') || existsSync(join(set, manifestFile));
  const sets = await loadSets({ cacheDir, setDirs: given.filter(isFolder), host: { env: io.env, root: '' } });
  const chosenSets: string[] = [];
  for (const set of given) {
    const name = isFolder(set) ? (await readManifest(set)).name : set;
    if (!sets.names.includes(name)) {
      throw new HarnessError(
        'usage',
        `--set ${set}: expected a folder with a ${manifestFile} or a known set, saw neither`,
        {
          hint: `Known sets: ${sets.names.join(', ')}.`,
        },
      );
    }
    chosenSets.push(name);
  }
  const fingerprints = createFingerprints({ cacheFile: join(cacheDir, 'fingerprints.json') });
  const inspections = createInspections({ fingerprints, cacheFile: join(cacheDir, 'inspections.json') });
  return {
    sets,
    fingerprints: {
      of: fingerprints.of,
      save: async () => void (await Promise.all([fingerprints.save(), inspections.save()])),
    },
    inspections,
    accelCacheFile: join(cacheDir, 'acceleration.json'),
    lengthsFile: join(cacheDir, 'case-lengths.json'),
    chosenSets,
  };
}
