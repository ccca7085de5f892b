import { Worker } from 'bullmq';
import { openTemporaryFolder } from '../os/temporary-folder.ts';
import { unstartedResult } from '../run/case-result.ts';
import { acceptResult } from './accept-result.ts';
import { briefly, listen } from './connect.ts';
import { channels, lockMs, prefix, resultQueue } from './keys.ts';
import { type CellResult, cellResultSchema, progressSchema } from './messages.ts';
import { BadMessage, heard } from './seal.ts';
import { finishCase, type Submitted } from './submitted.ts';

/** Results that are taken at once: each waits for its bundle, and for the disk. */
const atOnce = 4;

interface Taking {
  folder: string;
  /** Bundles of the results that are being taken, by case. */
  bundles: Map<string, string | undefined>;
}

/** Records a result, unless the case has one. */
async function take(state: Submitted, result: CellResult, { folder, bundles }: Taking): Promise<void> {
  const { open, store, ranOn, notes, say } = state;
  const { id, worker, outcome } = result;
  const cell = bundles.has(id) ? undefined : open.get(id);
  const bundle = 'bundle' in outcome ? outcome.bundle : undefined;
  if (cell === undefined) {
    const note = `a second result of ${id} came from worker ${worker}, and was dropped`;
    notes.push(note);
    say(note);
  } else {
    const { run } = cell.handed;
    bundles.set(id, bundle?.sha256);
    const accepted = await acceptResult(result, run, { store, folder }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      return unstartedResult(
        run,
        run.found.scenario,
        'error',
        `The result from worker ${worker} cannot be used: ${reason}`,
      );
    });
    ranOn.set(worker, (ranOn.get(worker) ?? 0) + 1);
    await finishCase(state, cell.handed, accepted).finally(() => bundles.delete(id));
  }
  if (bundle && bundles.get(id) !== bundle.sha256) await store.remove(bundle.sha256);
}

export interface Results extends AsyncDisposable {
  /** How many have come and are not recorded yet. */
  onTheWay(): Promise<number>;
}

/** Takes the results as they come, each signed by a worker. */
export async function openResults(state: Submitted): Promise<Results> {
  const { redis, run, sealing, say } = state;
  const folder = await openTemporaryFolder('netboot-results-');
  const taking: Taking = { folder: folder.path, bundles: new Map() };
  const receive = async (job: { data: unknown }): Promise<void> => {
    try {
      const { sealed } = job.data as { sealed?: unknown };
      const result = sealing.open('result', sealed, cellResultSchema);
      if (result.run === run) await take(state, result, taking);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      say(`a result was refused: ${error.message}`);
    }
  };
  const queue = resultQueue(run);
  const worker = new Worker(queue, receive, {
    ...{ connection: redis, prefix, concurrency: atOnce, lockDuration: 4 * lockMs },
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  // The connection says so itself.
  worker.on('error', () => {});
  const lengthOf = (list: string) => redis.llen(`${prefix}:${queue}:${list}`);
  return {
    onTheWay: async () => (await lengthOf('wait')) + (await lengthOf('active')),
    async [Symbol.asyncDispose]() {
      await briefly(worker.close());
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** How far the cells are, as long as nothing is lost on the way. */
export function followProgress({ redis, run, open, sealing }: Submitted): Promise<Disposable> {
  const hear = (text: string): void => {
    const progress = heard(sealing, 'progress', text, progressSchema);
    if (progress === undefined) return;
    const one = open.get(progress.id)?.handed.run;
    if ('stage' in progress) one?.onStage(progress.stage, progress.atMs);
    else one?.onAttempt(progress.attempt);
  };
  return listen(redis, { [channels.progress(run)]: hear });
}
