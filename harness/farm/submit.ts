import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Queue } from 'bullmq';
import { HarnessError } from '../model/errors.ts';
import type { Elsewhere, HandedCase } from '../run/elsewhere.ts';
import { attend } from './attend.ts';
import { briefly } from './connect.ts';
import { channels, prefix, resultQueue } from './keys.ts';
import { openBoard } from './presence.ts';
import { followProgress, openResults } from './receive-results.ts';
import { sendCells } from './send-cells.ts';
import type { SubmitOptions, Submitted } from './submitted.ts';

async function leave({ board, redis, run, queues, sealing }: Submitted): Promise<void> {
  // Each for itself: with a lost connection none succeeds, but all have to stop.
  await Promise.allSettled([
    board.leaveRun(run),
    redis.publish(channels.ended, sealing.seal('cancel', run)),
    ...[...queues.values()].map((queue) => queue.close()),
  ]);
  const results = new Queue(resultQueue(run), { connection: redis, prefix });
  await results.obliterate({ force: true });
  await results.close();
}

const remarks = ({ ranOn, notes }: Submitted): string[] => {
  const shares = [...ranOn].sort(([a], [b]) => (a < b ? -1 : 1)).map(([worker, count]) => `${worker} ${count}`);
  return [...(shares.length > 0 ? [`cells by worker of the farm: ${shares.join(', ')}`] : []), ...notes];
};

async function runOnFarm(cases: readonly HandedCase[], options: SubmitOptions, signal: AbortSignal): Promise<string[]> {
  const done = new AbortController();
  const state: Submitted = {
    ...options,
    run: randomBytes(8).toString('hex'),
    startedAt: new Date().toISOString(),
    board: openBoard(options.redis, options.sealing),
    unsent: new Set(cases),
    open: new Map(),
    queues: new Map(),
    stored: new Set(),
    ranOn: new Map(),
    notes: [],
    finished: new EventEmitter(),
    allDone: () => done.abort(),
  };
  if (cases.length === 0) return [];
  const stop = AbortSignal.any([signal, done.signal]);
  try {
    using _ = await followProgress(state);
    await using results = await openResults(state);
    const sending = sendCells(cases, state, stop).catch((error: unknown) => {
      done.abort();
      throw error;
    });
    await Promise.allSettled([sending, attend(state, results.onTheWay, stop)]);
    await sending;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    // Without that its key expires.
    await briefly(leave(state));
  }
  return remarks(state);
}

/**
 * The workers of a farm in place of this machine. They need not be there yet.
 * @throws HarnessError `farm-failed` where the farm cannot be used
 */
export async function openFarm(options: SubmitOptions): Promise<Elsewhere> {
  const workers = await openBoard(options.redis, options.sealing).workers();
  const cores = workers.reduce((sum, { offer }) => sum + offer.cores, 0);
  return {
    cores: cores > 0 ? cores : 1,
    async run(cases, signal) {
      try {
        return await runOnFarm(cases, options, signal);
      } catch (error) {
        if (error instanceof HarnessError) throw error;
        throw new HarnessError('farm-failed', `the farm cannot be used: ${(error as Error).message}`, {
          hint: 'Start the run again with --resume: finished cases are kept.',
          cause: error,
        });
      }
    },
  };
}
