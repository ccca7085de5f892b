import { cacheFolder } from '../os/cache-folder.ts';
import { type HostWithSets, openHostWithSets } from '../run/open-host.ts';
import { type CliIo, writeLines } from './io.ts';

/** Artefacts of this host and of the folders given with `--set`. */
export type Artefacts = HostWithSets;

/** Opens the artefacts; warns on standard error about ambiguous files in a folder. */
export async function openArtefacts(given: readonly string[], io: Pick<CliIo, 'env' | 'stderr'>): Promise<Artefacts> {
  const host = await openHostWithSets(given, { cacheDir: cacheFolder(io.env), env: io.env });
  writeLines(
    io.stderr,
    host.sets.remarks.map((remark) => `warning: ${remark}`),
  );
  return host;
}
