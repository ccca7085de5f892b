import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { it } from 'vitest';
import { cellQueue, channels, prefix } from '../../../harness/farm/keys.ts';
import { needKey } from '../../../harness/farm/need.ts';
import { openBoard } from '../../../harness/farm/presence.ts';
import { openSealing } from '../../../harness/farm/seal.ts';
import { until } from '../cli.ts';
import { onFarm, untilAnswer } from './on-farm.ts';
import { openSingleCase } from './own-worker.ts';

const sealing = openSealing(undefined);
const runId = (nth: number) => nth.toString(16).padStart(16, '0');

it('the queue of a run that begins while those of others are removed is not removed with them', async () => {
  await onFarm(async (farm) => {
    const { redis } = farm;
    const stop = new AbortController();
    const said: string[] = [];
    const { finished, serve } = await openSingleCase(farm, stop.signal);
    const board = openBoard(redis, sealing);
    const known = await untilAnswer('the run', async () => (await board.runs())[0]);
    const [need] = known.needs;
    if (need === undefined) throw new Error('the run needs nothing');
    const others = Array.from({ length: 100 }, (_, nth) => runId(nth));
    for (const run of others) await board.sayRun({ ...known, run });
    // As long as it has a cell, it takes no other.
    let [isBusy, free] = [false, () => {}];
    const outcome = { status: 'not-run', reason: 'the test says so' } as const;
    const work = () =>
      new Promise<typeof outcome>((resolve) => {
        [isBusy, free] = [true, () => resolve(outcome)];
      });
    const serving = serve('one', work, (line) => said.push(line));
    await until('the cell on the worker', () => isBusy);
    const queueOf = (run: string) => new Queue(cellQueue(run, needKey(need)), { connection: redis, prefix });
    const add = async (run: string, jobId: string) => {
      const queue = queueOf(run);
      await queue.add('cell', { sealed: 'nothing' }, { jobId });
      await queue.close();
    };
    for (const run of others) await add(run, 'old');
    const late = runId(1000);
    await add(late, 'late');

    await Promise.all(others.map((run) => board.leaveRun(run)));
    await redis.publish(channels.sent, sealing.seal('sent', late));
    const old = () => redis.keys(`${prefix}:*:old`);
    await untilAnswer('the removal', async () => (await old()).length < others.length || undefined);
    await board.sayRun({ ...known, run: late });
    await redis.publish(channels.sent, sealing.seal('sent', late));
    await untilAnswer('the end of it', async () => (await old()).length === 0 || undefined);
    await pause(500);
    free();
    await finished;
    await until('the late cell on the worker', () => said.some((line) => line.startsWith('late: refused')));
    stop.abort();
    await serving;
  });
});
