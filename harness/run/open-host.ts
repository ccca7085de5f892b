import { join, resolve } from 'node:path';
import { createFingerprints } from '../assets/fingerprint.ts';
import { createInspections } from '../assets/inspections.ts';
import { loadSets } from '../assets/sets/sets.ts';
import { type OfferedNics, openOfferedNics } from '../vm/offered-nics.ts';
import type { RunHost } from './run-matrix.ts';

export interface HostFolders {
  /** Holds artefact sets and what is kept between runs; created if absent. */
  cacheDir: string;
  /** Folders with a `set.json`, or with files to inspect. */
  setDirs?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

export interface OpenedHost extends Required<RunHost> {
  /** The NICs that each QEMU has. */
  offeredNics: OfferedNics;
}

/** What this host offers for running cases, as `runMatrix` takes it. Rejects with `bad-set` for a broken manifest. */
export async function openHost({ cacheDir, setDirs = [], env = process.env }: HostFolders): Promise<OpenedHost> {
  const fingerprints = createFingerprints({ cacheFile: join(cacheDir, 'fingerprints.json') });
  const inspections = createInspections({ fingerprints, cacheFile: join(cacheDir, 'inspections.json') });
  return {
    sets: await loadSets({ cacheDir, setDirs, host: { env, root: '' }, inspections, fingerprints }),
    fingerprints: {
      of: fingerprints.of,
      save: async () => void (await Promise.all([fingerprints.save(), inspections.save()])),
    },
    inspections,
    setDirs: setDirs.map((folder) => resolve(folder)),
    accelCacheFile: join(cacheDir, 'acceleration.json'),
    lengthsFile: join(cacheDir, 'case-lengths.json'),
    templatesFolder: join(cacheDir, 'templates'),
    offeredNics: openOfferedNics(join(cacheDir, 'nics.json')),
  };
}
