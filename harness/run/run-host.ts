import type { Fingerprints } from '../assets/fingerprint.ts';
import type { Inspections } from '../assets/inspections.ts';
import type { ArtefactSets } from '../assets/sets/sets.ts';

/** What this host offers for running cases. */
export interface RunHost {
  sets: ArtefactSets;
  fingerprints: Fingerprints;
  inspections: Pick<Inspections, 'of'>;
  /** Folders of artefact sets from outside this machine and the cache. */
  setDirs?: readonly string[];
  /** Where results of probe boots are kept. */
  accelCacheFile?: string;
  /** Where the lengths of cases are kept, so that long ones start first. */
  lengthsFile?: string;
  /** Where templates are kept, if guests may start from them. */
  templatesFolder?: string;
}
