import { Queue, Worker } from 'bullmq';
import { type FarmConnection, onThisConnection } from './connect.ts';
import { cellQueue, lockMs, mostLost, prefix } from './keys.ts';
import { type Need, needKey } from './need.ts';

/** A case as workers take it. */
export interface SealedCell {
  id: string;
  lengthMs: number;
  /** Signed. */
  sealed: string;
}

const slowest = 2_000_000;

/** BullMQ's priorities: the smallest first, and none above 2^21. Tenths of a second tell cells apart. */
const priorityOf = ({ lengthMs }: SealedCell): number => Math.max(1, slowest - Math.round(lengthMs / 100));

/** The queue of cells that need the same of a machine, as their submitter uses it. */
export interface SentQueue {
  need: Need;
  add(cells: readonly SealedCell[]): Promise<void>;
  /** Those of these cells that Redis does not have any more. */
  missing(ids: readonly string[]): Promise<string[]>;
  /** How many it has, in whatever state. */
  count(): Promise<number>;
  /** Removes a cell that no worker has begun; false if one has. */
  remove(id: string): Promise<boolean>;
  /** Removes the queue with everything in it. */
  close(): Promise<void>;
}

export async function openSentQueue(redis: FarmConnection, run: string, need: Need): Promise<SentQueue> {
  const name = cellQueue(run, needKey(need));
  const queue = new Queue(name, { connection: redis, prefix });
  // Only to notice locks that are not renewed: the cells of a lost worker wait again, or are given up.
  const watching = { lockDuration: lockMs, stalledInterval: lockMs / 3, maxStalledCount: mostLost - 1 };
  const watch = new Worker(name, null, { connection: redis, prefix, ...watching }, onThisConnection);
  // The connection says so itself.
  queue.on('error', () => {});
  watch.on('error', () => {});
  await watch.startStalledCheckTimer();
  return {
    need,
    async add(cells) {
      await queue.addBulk(
        cells.map((cell) => ({
          name: 'cell',
          data: { sealed: cell.sealed },
          opts: {
            jobId: cell.id,
            priority: priorityOf(cell),
            removeOnComplete: true,
            removeOnFail: true,
            attempts: 1,
          },
        })),
      );
    },
    async missing(ids) {
      const pipeline = redis.pipeline();
      for (const id of ids) pipeline.exists(queue.toKey(id));
      const there = (await pipeline.exec()) ?? [];
      return ids.filter((_, nth) => there[nth]?.[1] === 0);
    },
    count: () => queue.getJobCountByTypes('waiting', 'prioritized', 'active', 'delayed'),
    remove: async (id) => (await queue.remove(id)) === 1,
    async close() {
      await watch.close(true);
      await queue.obliterate({ force: true });
      await queue.close();
    },
  };
}
