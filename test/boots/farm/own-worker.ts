import { makeOffer } from '../../../harness/farm/offer.ts';
import { openRedisStore } from '../../../harness/farm/redis-store.ts';
import { openSealing } from '../../../harness/farm/seal.ts';
import { openFarm } from '../../../harness/farm/submit.ts';
import { serveFarm, type WorkerOptions } from '../../../harness/farm/worker.ts';
import type { CaseResult } from '../../../harness/model/verdict.ts';
import { cacheFolder } from '../../../harness/os/cache-folder.ts';
import type { HandedCase } from '../../../harness/run/elsewhere.ts';
import { findCase } from '../../../harness/run/found-case.ts';
import { openHostWithSets } from '../../../harness/run/open-host.ts';
import { cellsOf } from '../../run/rig.ts';
import { type Farm, quick } from './on-farm.ts';

const sealing = openSealing(undefined);
const version = '0';

/** One case that waits on a farm, and workers in this process that do with it as a test says. */
export async function openSingleCase({ redis }: Farm, signal: AbortSignal, say: (line: string) => void = () => {}) {
  const cacheDir = cacheFolder(process.env);
  const host = await openHostWithSets([], { cacheDir, env: process.env });
  const [scenario] = cellsOf(quick('a'));
  if (scenario === undefined) throw new Error('the matrix has no cell');
  const found = await findCase(scenario, host);
  const results: CaseResult[] = [];
  const facts = (await host.offeredNics.of({ program: 'qemu-system-x86_64', env: {} })) ?? [];
  const offer = await makeOffer({ worker: 'one', cacheDir, version, host, labels: [], trust: true });
  const qemu = { version: offer.qemus.find(({ name, arch }) => name === 'host' && arch === 'x86_64')?.version };
  const handed = {
    run: { id: scenario.id, round: 1, found, qemu: { ...qemu, nics: facts } },
    ...{ lengthMs: 1000, sharesStart: false, finish: async (result: CaseResult) => void results.push(result) },
  } as unknown as HandedCase;
  const store = openRedisStore(redis, { say: () => {}, signal });
  const farm = await openFarm({
    ...{ redis, sealing, store, fingerprints: host.fingerprints },
    ...{ version, matrix: 'test', accel: 'tcg', labels: [], priority: 0, waitMs: 600_000, mostOpen: 10, say },
  });
  return {
    id: scenario.id,
    results,
    store,
    finished: farm.run([handed], signal),
    serve: (worker: string, run: WorkerOptions['run'], say: (line: string) => void = () => {}) =>
      serveFarm({ redis, sealing, store, offer: { ...offer, worker }, jobs: 1, run, say, signal }),
  };
}
