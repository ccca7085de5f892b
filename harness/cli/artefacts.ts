import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { manifestFile, readManifest } from '../assets/sets/set-manifest.ts';
import { HarnessError } from '../model/errors.ts';
import { type OpenedHost, openHost } from '../run/open-host.ts';
import { cacheFolder } from './cache-folder.ts';
import type { CliIo } from './io.ts';

/** Artefacts of this host and of the folders given with `--set`. */
export interface Artefacts extends OpenedHost {
  /** The names that `--set` stands for, in order. */
  chosenSets: readonly string[];
}

export async function openArtefacts(given: readonly string[], io: Pick<CliIo, 'env'>): Promise<Artefacts> {
  const isFolder = (set: string) => set.includes('/') || existsSync(join(set, manifestFile));
  const cacheDir = cacheFolder(io.env);
  const host = await openHost({ cacheDir, setDirs: given.filter(isFolder), env: io.env });
  const chosenSets: string[] = [];
  for (const set of given) {
    const name = isFolder(set) ? (await readManifest(set)).name : set;
    if (!host.sets.names.includes(name)) {
      throw new HarnessError(
        'usage',
        `--set ${set}: expected a folder with a ${manifestFile} or a known set, saw neither`,
        { hint: `Known sets: ${host.sets.names.join(', ')}.` },
      );
    }
    chosenSets.push(name);
  }
  return { ...host, chosenSets };
}
