import { Queue } from 'bullmq';
import { expect, it } from 'vitest';
import { prefix, resultQueue } from '../../../harness/farm/keys.ts';
import { openRedisStore } from '../../../harness/farm/redis-store.ts';
import { openSealing } from '../../../harness/farm/seal.ts';
import { openFarm } from '../../../harness/farm/submit.ts';
import { repeatId } from '../../../harness/model/case-id.ts';
import type { Scenario } from '../../../harness/model/scenario.ts';
import type { HandedCase } from '../../../harness/run/elsewhere.ts';
import { findCase } from '../../../harness/run/found-case.ts';
import { cellsOf, openHost } from '../../run/rig.ts';
import { onFarm, quick, untilAnswer } from './on-farm.ts';

const sealing = openSealing(undefined);
const mostOpen = 200;

it('a run has only so many cells in Redis, and sends more as results come', async () => {
  await onFarm(async ({ redis }) => {
    const host = await openHost();
    const [cell] = cellsOf(quick('a')) as [Scenario];
    const found = await findCase(cell, host);
    const idOf = (nth: number) => repeatId(cell.id, nth + 1);
    const finished: string[] = [];
    const cases = Array.from({ length: 2 * mostOpen }, (_, nth) => ({
      run: { id: idOf(nth), round: nth + 1, found, qemu: { version: '7', nics: [] } },
      ...{ lengthMs: 1000, sharesStart: false, finish: async ({ id }: { id: string }) => void finished.push(id) },
    })) as unknown as HandedCase[];
    const stop = new AbortController();
    const farm = await openFarm({
      ...{ redis, sealing, store: openRedisStore(redis, { say: () => {}, signal: stop.signal }) },
      ...{ fingerprints: host.fingerprints, version: '0', matrix: 'test', accel: 'tcg', labels: [], priority: 0 },
      ...{ waitMs: 600_000, mostOpen, say: () => {} },
    });
    const running = farm.run(cases, stop.signal);

    const queue = await untilAnswer('the queue', async () => (await redis.keys(`${prefix}:*.*:prioritized`))[0]);
    const run = queue.split(':')[1]?.split('.')[0] as string;
    const untilThereAre = (count: number) =>
      untilAnswer(`${count} cells`, async () => (await redis.zcard(queue)) === count || undefined);
    await untilThereAre(mostOpen);
    const results = new Queue(resultQueue(run), { connection: redis, prefix });
    const outcome = { status: 'error', reason: 'nobody ran it' };
    const sealed = (nth: number) => sealing.seal('result', { run, id: idOf(nth), worker: 'one', outcome });
    await results.addBulk(Array.from({ length: 100 }, (_, nth) => ({ name: 'result', data: { sealed: sealed(nth) } })));
    // Nobody has taken any: the 100 that have a result are still in the queue.
    await untilThereAre(mostOpen + 100);
    expect(finished).toHaveLength(100);
    await results.close();
    stop.abort();
    await running;
  });
});
