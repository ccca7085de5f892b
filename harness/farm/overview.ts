import type { FarmConnection } from './connect.ts';
import { cellQueue, keys, prefix } from './keys.ts';
import type { FarmRun, Presence } from './messages.ts';
import { lackOf, needKey } from './need.ts';
import { openBoard } from './presence.ts';
import type { Sealing } from './seal.ts';

/** A run on the farm. */
interface RunOverview {
  run: FarmRun;
  waiting: number;
  /** Waiting cells that none of the workers can run. */
  stuck: number;
}

export interface FarmOverview {
  workers: Presence[];
  runs: RunOverview[];
}

async function waitingIn(redis: FarmConnection, queue: string): Promise<number> {
  const [waiting, prioritized] = await Promise.all([
    redis.llen(`${prefix}:${queue}:wait`),
    redis.zcard(`${prefix}:${queue}:prioritized`),
  ]);
  return waiting + prioritized;
}

/** What is on the farm now. */
export async function lookAtFarm(redis: FarmConnection, sealing: Sealing): Promise<FarmOverview> {
  const board = openBoard(redis, sealing);
  const [workers, runs] = await Promise.all([board.workers(), board.runs()]);
  const overviews = runs.map(async (run): Promise<RunOverview> => {
    const queues = await Promise.all(
      run.needs.map(async (need) => ({ need, waiting: await waitingIn(redis, cellQueue(run.run, needKey(need))) })),
    );
    const isServed = (need: FarmRun['needs'][number]) => workers.some(({ offer }) => lackOf(need, offer) === undefined);
    return {
      run,
      waiting: queues.reduce((sum, { waiting }) => sum + waiting, 0),
      stuck: queues.filter(({ need }) => !isServed(need)).reduce((sum, { waiting }) => sum + waiting, 0),
    };
  });
  return { workers, runs: await Promise.all(overviews) };
}

const drainAskedS = 60;

/** Asks a worker to take no more cells and to end with its last. */
export async function askToDrain(redis: FarmConnection, sealing: Sealing, worker: string): Promise<void> {
  await redis.set(keys.drain(worker), sealing.seal('drain', worker), 'EX', drainAskedS);
}
