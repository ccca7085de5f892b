import type { ArtefactSet } from '../../harness/assets/sets/artefact-set.ts';
import { isMissing } from '../../harness/assets/sets/artefact-set.ts';
import { loadSets } from '../../harness/assets/sets/sets.ts';

/** The set of this machine's packages, which set-up installs. */
export async function hostSet(cacheDir?: string): Promise<ArtefactSet> {
  const set = await (await loadSets({ cacheDir, setDirs: [] })).get('host');
  if (isMissing(set)) throw new Error(set.missing);
  return set;
}

export function found<T extends object>(result: T | { readonly missing: string }): T {
  if (isMissing(result)) throw new Error(result.missing);
  return result as T;
}

/** A small generator of repeatable numbers (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
