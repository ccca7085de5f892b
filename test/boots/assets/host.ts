import type { ArtefactSet } from '../../../harness/assets/sets/artefact-set.ts';
import { loadSets } from '../../../harness/assets/sets/sets.ts';
import { found } from '../../assets/found.ts';

/** The set of this machine's packages, which set-up installs. */
export async function hostSet(cacheDir?: string): Promise<ArtefactSet> {
  return found(await (await loadSets({ cacheDir, setDirs: [] })).get('host'));
}
