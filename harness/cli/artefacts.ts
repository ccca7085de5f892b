import { statSync } from 'node:fs';
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

/** Opens the artefacts; warns on standard error about ambiguous files in a folder. */
export async function openArtefacts(given: readonly string[], io: Pick<CliIo, 'env' | 'stderr'>): Promise<Artefacts> {
  const isFolder = (set: string) => statSync(set, { throwIfNoEntry: false })?.isDirectory() ?? false;
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
