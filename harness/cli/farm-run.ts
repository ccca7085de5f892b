import { mostOpen } from '../farm/keys.ts';
import { openFarm } from '../farm/submit.ts';
import type { Elsewhere } from '../run/elsewhere.ts';
import type { RunOptions } from '../run/run-matrix.ts';
import type { Artefacts } from './artefacts.ts';
import type { FarmRunOptions } from './farm-options.ts';
import type { CliIo } from './io.ts';
import { joinFarm } from './join-farm.ts';
import { packageVersion } from './package-version.ts';

/** The farm of a run; the connection ends with it. */
export async function openFarmRun(
  options: FarmRunOptions & { farm: string; accel: RunOptions['accel'] },
  { io, matrix, artefacts }: { io: CliIo; matrix: string; artefacts: Artefacts },
): Promise<AsyncDisposable & { elsewhere: Elsewhere }> {
  const { farm, accel, farmLabel, farmWait, priority } = options;
  const joined = await joinFarm(farm, options, io);
  const elsewhere = await openFarm({
    ...{ ...joined, matrix, accel, priority },
    version: packageVersion(),
    fingerprints: artefacts.fingerprints,
    labels: farmLabel ?? [],
    waitMs: farmWait * 1000,
    mostOpen,
  });
  return { elsewhere, [Symbol.asyncDispose]: async () => joined[Symbol.dispose]() };
}
