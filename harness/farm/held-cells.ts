import { randomBytes } from 'node:crypto';
import { type Job, Queue, Worker } from 'bullmq';
import { type FarmConnection, onThisConnection } from './connect.ts';
import { cellQueue, lockMs, prefix } from './keys.ts';
import type { FarmRun } from './messages.ts';
import { lackOf, type Need, needKey, type Offer } from './need.ts';

/** One queue that this worker may take cells from. */
export interface CellSource {
  run: FarmRun;
  need: Need;
  queue: string;
  take(): Promise<HeldCell | undefined>;
  /** Renews the locks of these cells; resolves to those that are lost. */
  renew(cells: readonly HeldCell[]): Promise<HeldCell[]>;
  close(): Promise<void>;
  /** Removes the queue of a run that is gone, with the cells that still wait in it. */
  clear(): Promise<void>;
}

/** A cell that is this worker's as long as its lock is renewed. */
export interface HeldCell {
  source: CellSource;
  id: string;
  /** Signed by the submitter. */
  sealed: unknown;
  /** BullMQ has given it up: its workers were lost too often. */
  givenUp: boolean;
  /** How often workers have begun it, this time included: lost, interrupted or not fit for it. */
  begun: number;
  /** It has its result. */
  done(): Promise<void>;
  /** Puts it back for another worker. */
  giveBack(): Promise<void>;
}

function heldCell(source: CellSource, job: Job, token: string): HeldCell {
  return {
    source,
    id: job.id ?? '',
    sealed: (job.data as { sealed?: unknown } | undefined)?.sealed,
    givenUp: job.deferredFailure !== undefined,
    begun: job.attemptsStarted,
    done: async () => void (await job.moveToCompleted(null, token, false)),
    giveBack: async () => void (await job.moveToWait(token)),
  };
}

export function openSource(redis: FarmConnection, run: FarmRun, need: Need, worker: string): CellSource {
  const queue = cellQueue(run.run, needKey(need));
  let opened: Worker | undefined;
  /** Most workers never take a cell of most queues. */
  const open = (): Worker => {
    if (opened !== undefined) return opened;
    // Without a processor: cells are fetched one by one, when there is room for a guest.
    const options = { connection: redis, prefix, name: worker, lockDuration: lockMs };
    opened = new Worker(queue, null, options, onThisConnection);
    // The connection says so itself.
    opened.on('error', () => {});
    return opened;
  };
  const tokens = new WeakMap<HeldCell, string>();
  const source: CellSource = {
    ...{ run, need, queue },
    async take() {
      const token = randomBytes(16).toString('hex');
      const job = await open().getNextJob(token, { block: false });
      if (!job) return undefined;
      const cell = heldCell(source, job, token);
      tokens.set(cell, token);
      return cell;
    },
    async renew(cells) {
      const all = cells.map((cell) => tokens.get(cell) ?? '');
      const lost = await open().extendJobLocks(
        cells.map(({ id }) => id),
        all,
        lockMs,
      );
      return cells.filter(({ id }) => lost.includes(id));
    },
    close: async () => opened?.close(true),
    async clear() {
      const left = new Queue(queue, { connection: redis, prefix });
      await left.obliterate({ force: true });
      await left.close();
    },
  };
  return source;
}

/** The queues of a run that this worker can serve. */
export const neededOf = (run: FarmRun, offer: Offer): Need[] =>
  run.needs.filter((need) => lackOf(need, offer) === undefined);
