import type { Fingerprints } from '../assets/fingerprint.ts';
import type { Inspections } from '../assets/inspections.ts';
import type { ArtefactSets } from '../assets/sets/sets.ts';
import type { Impossible, Isolation } from '../services/provisioner/isolation.ts';

/** What this host offers for running cases. */
export interface RunHost {
  sets: ArtefactSets;
  fingerprints: Fingerprints;
  inspections: Pick<Inspections, 'of'>;
  /** The way this host offers to run a server on a network of its own. */
  isolation(hasPacketPrograms: boolean): Promise<Isolation | Impossible>;
  /** Folders of artefact sets from outside this machine and the cache. */
  setDirs?: readonly string[];
  /** Where results of probe boots are kept. */
  accelCacheFile?: string;
  /** Where the lengths of cases are kept, so that long ones start first. */
  lengthsFile?: string;
  /** Where templates are kept, if guests may start from them. */
  templatesFolder?: string;
}
