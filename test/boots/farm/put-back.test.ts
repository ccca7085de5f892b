import { expect, it } from 'vitest';
import { createFingerprints } from '../../../harness/assets/fingerprint.ts';
import { keys, prefix } from '../../../harness/farm/keys.ts';
import { Unfit } from '../../../harness/farm/run-cell.ts';
import { until } from '../cli.ts';
import { onFarm, untilAnswer } from './on-farm.ts';
import { openSingleCase } from './own-worker.ts';

const notRun = { status: 'not-run', reason: 'the test says so' } as const;

it('a cell on which a worker fails has an error for its result, at once', async () => {
  await onFarm(async (farm) => {
    const stop = new AbortController();
    const { results, finished, serve } = await openSingleCase(farm, stop.signal);
    const serving = serve('one', () => Promise.reject(new Error('the floor is wet')));
    await finished;
    expect(results).toMatchObject([{ verdict: { status: 'error' } }]);
    expect(JSON.stringify(results[0]?.verdict)).toContain('the harness failed: the floor is wet');
    stop.abort();
    await serving;
  });
});

it('a cell has its result also where there is too much to say about it', async () => {
  await onFarm(async (farm) => {
    const stop = new AbortController();
    const { results, finished, serve } = await openSingleCase(farm, stop.signal);
    const serving = serve('one', async () => ({ status: 'error', reason: `drip${'p'.repeat(20_000)}` }));
    expect(await finished).toEqual(['cells by worker of the farm: one 1']);
    expect(results[0]?.verdict.diagnosis).toMatch(/On worker one: drip{100}/);
    stop.abort();
    await serving;
  });
});

it('a cell whose result Redis does not take is put back for another worker', async () => {
  await onFarm(async (farm) => {
    const { redis } = farm;
    const stop = new AbortController();
    const told: string[] = [];
    const { id, results, store, finished, serve } = await openSingleCase(farm, stop.signal, (line) => told.push(line));
    const run = await untilAnswer('the run', async () => (await redis.keys(`${prefix}:run:*`))[0]?.split(':').at(-1));
    // BullMQ counts there.
    const counter = `${prefix}:${run}.results:id`;
    await redis.set(counter, 'no number');
    const said: string[] = [];
    const records = farm.place.write('records.zip', 'records');
    const bundle = await createFingerprints().of(records);
    await store.put(bundle, records);
    const served = [
      serve(
        'one',
        async () => ({ bundle, accel: 'tcg', durationMs: 1, guestCpuMs: 1, paths: [] }),
        (line) => said.push(line),
      ),
    ];
    await until('the failure', () => said.some((line) => line.startsWith(`${id}: `)), 60_000);
    expect(said.join('\n')).toContain(`${id}: put back for another worker: `);
    // Nobody will ask for its records.
    await untilAnswer('their removal', async () => (await redis.exists(keys.file(bundle.sha256))) === 0 || undefined);
    // Also its submitter hears of it, so that a cell which no worker settles does not go round in silence.
    await until('the news', () => told.some((line) => line.startsWith('worker one takes no cell for now: ')), 60_000);
    await redis.del(counter);
    served.push(serve('two', async () => notRun));
    expect(await finished).toEqual(['cells by worker of the farm: two 1']);
    expect(results).toMatchObject([{ verdict: { status: 'not-run' } }]);
    stop.abort();
    await Promise.all(served);
  });
});

it('a cell that no worker is fit for is put back only so often, and is an error then', async () => {
  await onFarm(async (farm) => {
    const stop = new AbortController();
    const { results, finished, serve } = await openSingleCase(farm, stop.signal);
    const begun: string[] = [];
    const workers = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'];
    const serving = workers.map((name) =>
      serve(name, () => {
        begun.push(name);
        return Promise.reject(new Unfit('the disk is full'));
      }),
    );
    await finished;
    // Each takes none for a minute.
    expect(new Set(begun).size).toBe(begun.length);
    expect(begun).toHaveLength(6);
    expect(results).toMatchObject([{ verdict: { status: 'error' } }]);
    const why = 'workers began this cell 6 times, and it is not given to another: the disk is full';
    expect(results[0]?.verdict.diagnosis).toContain(why);
    stop.abort();
    await Promise.all(serving);
  });
});
