import { Worker } from 'bullmq';
import { unstartedResult } from '../run/case-result.ts';
import { acceptResult } from './accept-result.ts';
import { briefly, listen } from './connect.ts';
import { channels, lockMs, prefix, resultQueue } from './keys.ts';
import { type CellResult, cellResultSchema, progressSchema } from './messages.ts';
import { BadMessage, heard } from './seal.ts';
import { finishCase, type Submitted } from './submitted.ts';

/** Records a result, unless the case has one. */
async function take(state: Submitted, result: CellResult): Promise<void> {
  const { open, store, ranOn, notes, say } = state;
  const { id, worker, outcome } = result;
  const cell = open.get(id);
  const bundle = 'bundle' in outcome ? outcome.bundle : undefined;
  if (cell === undefined) {
    const note = `a second result of ${id} came from worker ${worker}, and was dropped`;
    notes.push(note);
    say(note);
  } else {
    const { run } = cell.handed;
    const accepted = await acceptResult(result, run, store).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      return unstartedResult(
        run,
        run.found.scenario,
        'error',
        `The result from worker ${worker} cannot be used: ${reason}`,
      );
    });
    ranOn.set(worker, (ranOn.get(worker) ?? 0) + 1);
    await finishCase(state, cell.handed, accepted);
  }
  if (bundle) await store.remove(bundle.sha256);
}

export interface Results extends AsyncDisposable {
  /** How many have come and are not recorded yet. */
  onTheWay(): Promise<number>;
}

/** Results come one by one, each signed by a worker. */
export function openResults(state: Submitted): Results {
  const { redis, run, sealing, say } = state;
  const receive = async (job: { data: unknown }): Promise<void> => {
    try {
      const { sealed } = job.data as { sealed?: unknown };
      const result = sealing.open('result', sealed, cellResultSchema);
      if (result.run === run) await take(state, result);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      say(`a result was refused: ${error.message}`);
    }
  };
  const queue = resultQueue(run);
  const worker = new Worker(queue, receive, {
    ...{ connection: redis, prefix, concurrency: 1, lockDuration: 4 * lockMs },
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  // The connection says so itself.
  worker.on('error', () => {});
  const lengthOf = (list: string) => redis.llen(`${prefix}:${queue}:${list}`);
  return {
    onTheWay: async () => (await lengthOf('wait')) + (await lengthOf('active')),
    [Symbol.asyncDispose]: () => briefly(worker.close()),
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
