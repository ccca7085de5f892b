import { realpathSync, statSync } from 'node:fs';
import { HarnessError } from '../model/errors.ts';
import { printable } from '../report/printable.ts';
import { type OpenedHost, openHost } from '../run/open-host.ts';
import { cacheFolder } from './cache-folder.ts';
import { type CliIo, writeLines } from './io.ts';

/** Artefacts of this host and of the folders given with `--set`. */
export interface Artefacts extends OpenedHost {
  /** The names that `--set` stands for, in order. */
  chosenSets: readonly string[];
}

/** A set given twice, perhaps in other words, would be compared with itself. */
function refuseTwice(given: readonly string[], isFolder: (set: string) => boolean): void {
  const first = new Map<string, string>();
  for (const set of given) {
    const key = isFolder(set) ? realpathSync(set) : set;
    const earlier = first.get(key);
    if (earlier !== undefined) {
      throw new HarnessError('usage', `--set ${earlier} and --set ${set} are the same set`, {
        hint: 'Give each set once; --repeat N runs each case N times.',
      });
    }
    first.set(key, set);
  }
}

/** Opens the artefacts; warns on standard error about ambiguous files in a folder. */
export async function openArtefacts(given: readonly string[], io: Pick<CliIo, 'env' | 'stderr'>): Promise<Artefacts> {
  const isFolder = (set: string) => statSync(set, { throwIfNoEntry: false })?.isDirectory() ?? false;
  refuseTwice(given, isFolder);
  const cacheDir = cacheFolder(io.env);
  const host = await openHost({ cacheDir, setDirs: given.filter(isFolder), env: io.env });
  writeLines(
    io.stderr,
    host.sets.remarks.map((remark) => `warning: ${printable(remark)}`),
  );
  const chosenSets = given.map((set) => {
    const name = host.sets.nameOf.get(set) ?? set;
    if (host.sets.names.includes(name)) return name;
    throw new HarnessError('usage', `--set ${set}: expected a folder or a known set, saw neither`, {
      hint: `Known sets: ${host.sets.names.join(', ')}.`,
    });
  });
  return { ...host, chosenSets };
}
