import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { HarnessError } from '../model/errors.ts';
import { reachOf } from '../model/reach.ts';
import { planMemoryMiB } from '../plan/argv.ts';
import { unstartedResult } from '../run/case-result.ts';
import type { Elsewhere, HandedCase } from '../run/elsewhere.ts';
import type { AccelChoice } from '../vm/acceleration.ts';
import { acceptResult } from './accept-result.ts';
import { type CarriedCase, carry } from './carried.ts';
import { briefly, type FarmConnection, listen, partingMs } from './connect.ts';
import type { FileStore } from './file-store.ts';
import { beatMs, channels, lockMs, prefix, resultQueue } from './keys.ts';
import { type Cell, type CellResult, cellResultSchema, type FarmRun, progressSchema } from './messages.ts';
import { lackOf, type Need, needKey, nicsDigest, type Offer } from './need.ts';
import { ownCode } from './offer.ts';
import { type Board, openBoard } from './presence.ts';
import { BadMessage, heard, type Sealing } from './seal.ts';
import { openSentQueue, type SentCell, type SentQueue } from './sent-cells.ts';

export interface SubmitOptions {
  redis: FarmConnection;
  sealing: Sealing;
  store: FileStore;
  fingerprints: Pick<Fingerprints, 'of'>;
  /** Of this package. */
  version: string;
  matrix: string;
  accel: AccelChoice;
  labels: readonly string[];
  priority: number;
  /** How long cells wait for a worker that can run them. */
  waitMs: number;
  /** A line for the user. */
  say(line: string): void;
}

/** A cell that was sent is not run any more after so long. */
const validMs = 7 * 24 * 3600_000;

/** What the parts of a run on a farm share. */
interface Submitted extends SubmitOptions {
  run: string;
  board: Board;
  /** Cases without a result yet, by id. */
  open: Map<string, SentCell>;
  queues: Map<string, SentQueue>;
  /** Cells that each worker ran. */
  ranOn: Map<string, number>;
  notes: string[];
  allDone(): void;
}

function needOf({ run }: HandedCase, { own }: CarriedCase, options: SubmitOptions): Need {
  const { scenario, resolved } = run.found;
  const { version, nics } = run.qemu;
  const isBeyond = reachOf(scenario).some(({ isPath }) => !isPath);
  return {
    code: ownCode(options.version),
    qemu: { name: scenario.qemu as string, arch: scenario.arch, version, nics: nicsDigest(nics) },
    accel: options.accel,
    memoryMiB: planMemoryMiB(scenario),
    trust: isBeyond,
    own,
    programs: resolved.san === undefined ? [] : ['tgt'],
    labels: [...options.labels],
  };
}

function sealedCell(handed: HandedCase, { carried, files }: CarriedCase, state: Submitted): string {
  const { id, round } = handed.run;
  const cell: Cell = {
    ...{ run: state.run, id, round, accel: state.accel, carried },
    files: [...new Map(files.map(({ sha256, bytes }) => [sha256, { sha256, bytes }])).values()],
    notAfter: Date.now() + validMs,
  };
  return state.sealing.seal('cell', cell);
}

/** Signs every case; one that cannot be sent is finished as not run. */
async function prepare(cases: readonly HandedCase[], state: Submitted): Promise<void> {
  for (const handed of cases) {
    const { run } = handed;
    const carried = await carry(run.found, state);
    if ('obstacle' in carried)
      await handed.finish(unstartedResult(run, run.found.scenario, 'not-run', carried.obstacle));
    else {
      const need = needOf(handed, carried, state);
      state.open.set(run.id, {
        handed,
        need,
        key: needKey(need),
        sealed: sealedCell(handed, carried, state),
        files: carried.files,
      });
    }
  }
}

async function putFiles({ open, store }: Submitted): Promise<void> {
  const files = new Map([...open.values()].flatMap((cell) => cell.files).map((file) => [file.sha256, file]));
  for (const file of files.values()) await store.put(file, file.path);
}

const cellsOf = ({ open }: Submitted, key: string): SentCell[] => [...open.values()].filter((cell) => cell.key === key);

const runOf = ({ run, matrix, priority, queues }: Submitted, startedAt: string): FarmRun => ({
  ...{ run, matrix, priority, startedAt },
  submitter: `${hostname()} ${process.pid}`,
  needs: [...queues.values()].map(({ need }) => need),
});

async function send(state: Submitted): Promise<void> {
  const needs = new Map([...state.open.values()].map(({ key, need }) => [key, need]));
  for (const [key, need] of needs) state.queues.set(key, await openSentQueue(state.redis, state.run, need));
  for (const [key, queue] of state.queues) await queue.add(cellsOf(state, key));
}

async function finishCell(
  state: Submitted,
  cell: SentCell,
  result: Parameters<HandedCase['finish']>[0],
): Promise<void> {
  state.open.delete(cell.handed.run.id);
  await cell.handed.finish(result);
  if (state.open.size === 0) state.allDone();
}

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
    await finishCell(state, cell, accepted);
  }
  if (bundle) await store.remove(bundle.sha256);
}

/** Results come one by one, each signed by a worker. */
function openResults(state: Submitted): AsyncDisposable {
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
  const worker = new Worker(resultQueue(run), receive, {
    ...{ connection: redis, prefix, concurrency: 1, lockDuration: 4 * lockMs },
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  // The connection says so itself.
  worker.on('error', () => {});
  return { [Symbol.asyncDispose]: () => briefly(worker.close()) };
}

/** How far the cells are, as long as nothing is lost on the way. */
function followProgress({ redis, run, open, sealing }: Submitted): Promise<Disposable> {
  return listen(redis, channels.progress(run), (text) => {
    const progress = heard(sealing, 'progress', text, progressSchema);
    if (progress === undefined) return;
    const one = open.get(progress.id)?.handed.run;
    if ('stage' in progress) one?.onStage(progress.stage, progress.atMs);
    else one?.onAttempt(progress.attempt);
  });
}

function whyNone(need: Need, offers: readonly Offer[]): string {
  if (offers.length === 0) return 'there is no worker';
  return offers.map((offer) => `${offer.worker}: ${lackOf(need, offer)}`).join('; ');
}

/** Cells that none of the workers can run are said at once, and not run after a while. */
function createPatience(state: Submitted): (offers: readonly Offer[]) => Promise<void> {
  const without = new Map<string, { sinceMs: number; why: string }>();
  return async (offers) => {
    for (const [key, queue] of state.queues) {
      const cells = cellsOf(state, key);
      const isServed = offers.some((offer) => lackOf(queue.need, offer) === undefined);
      if (cells.length === 0 || isServed) {
        without.delete(key);
        continue;
      }
      const why = whyNone(queue.need, offers);
      const since = without.get(key);
      if (since?.why !== why) {
        const some = cells.length === 1 ? cells[0]?.handed.run.id : `${cells.length} cells`;
        state.say(`no worker can run ${some}: ${why}; waiting ${Math.round(state.waitMs / 1000)} s`);
      }
      const sinceMs = since?.sinceMs ?? performance.now();
      without.set(key, { sinceMs, why });
      if (performance.now() - sinceMs < state.waitMs) continue;
      for (const cell of cells) {
        const { run } = cell.handed;
        // One that a lost worker holds waits again first.
        if (!(await queue.remove(run.id))) continue;
        const reason = `No worker of the farm can run it: ${why}.`;
        await finishCell(state, cell, unstartedResult(run, run.found.scenario, 'not-run', reason));
      }
    }
  };
}

/** Sends again what Redis lost: it was started again without its data, or ran out of memory. */
function createRecovery(state: Submitted): () => Promise<void> {
  const suspects = new Set<string>();
  return async () => {
    for (const [key, queue] of state.queues) {
      const cells = cellsOf(state, key);
      if ((await queue.count()) >= cells.length) continue;
      const missing = await queue.missing(cells.map(({ handed }) => handed.run.id));
      // Its result may be on the way: only what stays away is lost.
      const lost = cells.filter(({ handed: { run } }) => missing.includes(run.id) && suspects.has(run.id));
      for (const { handed } of cells) suspects.delete(handed.run.id);
      for (const id of missing) suspects.add(id);
      if (lost.length === 0) continue;
      await putFiles(state);
      await queue.add(lost.filter(({ handed }) => state.open.has(handed.run.id)));
      const note = `the farm's Redis lost ${lost.length} cells, which were sent again`;
      state.notes.push(note);
      state.say(note);
      for (const { handed } of lost) suspects.delete(handed.run.id);
    }
  };
}

/** Everything that is done again and again while a run waits for its workers. */
async function attend(state: Submitted, startedAt: string, done: AbortSignal): Promise<void> {
  const { board, say } = state;
  const [recover, giveUp] = [createRecovery(state), createPatience(state)];
  const turn = async () => {
    await board.sayRun(runOf(state, startedAt));
    await giveUp((await board.workers()).filter(({ draining }) => !draining).map(({ offer }) => offer));
    await recover();
  };
  const over = new AbortController();
  // A lost connection may never come back.
  const givenUp = once(done, 'abort').then(() => sleep(partingMs, undefined, { signal: over.signal }));
  givenUp.catch(() => {});
  while (!done.aborted) {
    await Promise.race([turn().catch((error: Error) => say(error.message)), givenUp]);
    await sleep(beatMs, undefined, { signal: done }).catch(() => {});
  }
  over.abort();
}

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
    board: openBoard(options.redis, options.sealing),
    open: new Map(),
    queues: new Map(),
    ranOn: new Map(),
    notes: [],
    allDone: () => done.abort(),
  };
  const startedAt = new Date().toISOString();
  await prepare(cases, state);
  if (state.open.size === 0) return remarks(state);
  const stop = AbortSignal.any([signal, done.signal]);
  try {
    await putFiles(state);
    await send(state);
    using _ = await followProgress(state);
    await using __ = openResults(state);
    await attend(state, startedAt, stop);
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
