import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { HarnessError } from '../model/errors.ts';
import { wholeSeconds } from '../model/time-text.ts';
import { openCapacity } from '../os/capacity.ts';
import { planMemoryMiB } from '../plan/argv.ts';
import { type Admission, openAdmission } from '../run/scheduler.ts';
import { briefly, type FarmConnection, listen } from './connect.ts';
import type { FileStore } from './file-store.ts';
import { type CellSource, type HeldCell, neededOf, openSource } from './held-cells.ts';
import { beatMs, cellQueue, channels, keys, lockMs, mostBegun, mostLost, prefix, resultQueue } from './keys.ts';
import {
  type Cell,
  type CellResult,
  cellSchema,
  type FarmRun,
  longestReason,
  longestUnfit,
  type Presence,
  type Progress,
  runIdSchema,
} from './messages.ts';
import { type Need, needKey, type Offer, offerSchema } from './need.ts';
import { type Board, openBoard } from './presence.ts';
import { queueHeads } from './queue-heads.ts';
import { createTrouble, type Trouble, withRoom } from './room.ts';
import { type RunningCell, Unfit } from './run-cell.ts';
import { BadMessage, heard, type Sealing } from './seal.ts';

export interface WorkerOptions {
  redis: FarmConnection;
  sealing: Sealing;
  /** Where `run` leaves records: those that nobody takes are removed. */
  store: Pick<FileStore, 'remove'>;
  offer: Offer;
  /** Runs a cell; rejects with Unfit if this machine is not fit to, for now. */
  run(cell: Cell, running: RunningCell): Promise<CellResult['outcome']>;
  /** Guests at once; undefined: as many as this machine carries. */
  jobs: number | undefined;
  /** A line for the user. */
  say(line: string): void;
  /** Ends it: cells in progress are stopped, and put back for other workers. */
  signal: AbortSignal;
}

const pollMs = 200;
/** Redis is not asked for so long again after it had nothing, unless a run says that it has sent some. */
const quietMs = 1_000;
/** Takes no cell for so long after it had to put one back. */
const unfitMs = 60_000;

interface Running {
  cell: HeldCell;
  sinceMs: number;
  stop: AbortController;
  ended: Promise<void>;
}

interface State extends WorkerOptions {
  board: Board;
  trouble: Trouble;
  sources: Map<string, CellSource>;
  results: Map<string, Queue>;
  running: Set<Running>;
  draining: boolean;
  /** It could not settle its last cell, and takes none until then (ms since 1970). */
  unfit: { untilMs: number; why: string } | undefined;
  /** By the clock of `performance.now()`. */
  quietUntil: number;
  /** Stops the cells of runs that are gone, and opens the queues of new ones. */
  follow(): Promise<void>;
}

const isUnfit = ({ unfit }: State): boolean => unfit !== undefined && Date.now() < unfit.untilMs;

const presenceOf = (state: State): Presence => ({
  offer: state.offer,
  draining: state.draining,
  unfit: isUnfit(state) ? state.unfit?.why.slice(0, longestUnfit) : undefined,
  running: [...state.running].map(({ cell, sinceMs }) => ({ run: cell.source.run.run, id: cell.id, sinceMs })),
});

/** Calls `act` never twice at once: whoever asks meanwhile shares the call that begins after it. */
function oneAtATime(act: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    if (next !== undefined) return next;
    next = last
      .catch(() => {})
      .then(() => {
        next = undefined;
        return act();
      });
    last = next;
    return next;
  };
}

/** Only one at a time: to one that asked earlier who is there, a run that has just begun is gone, and its queue is removed. */
async function followRuns(state: State): Promise<void> {
  const { board, redis, offer, sources, running, results } = state;
  const runs = await board.runs();
  const known = new Set(runs.map(({ run }) => run));
  for (const one of running) if (!known.has(one.cell.source.run.run)) one.stop.abort();
  for (const [queue, source] of sources) {
    const isUsed = [...running].some(({ cell }) => cell.source === source);
    if (known.has(source.run.run) || isUsed) continue;
    sources.delete(queue);
    await source.close();
    await source.clear();
  }
  for (const [run, queue] of results) {
    const isUsed = [...running].some(({ cell }) => cell.source.run.run === run);
    if (known.has(run) || isUsed) continue;
    results.delete(run);
    await queue.close();
  }
  for (const run of runs) {
    for (const need of neededOf(run, offer)) {
      const key = cellQueue(run.run, needKey(need));
      if (!sources.has(key)) sources.set(key, openSource(redis, run, need, offer.worker));
    }
  }
}

/** Says that this worker is there, and looks at what others say. */
async function beat(state: State): Promise<void> {
  const { board, redis, offer, say } = state;
  await board.say(presenceOf(state));
  await state.follow();
  state.trouble.over();
  if (state.draining) return;
  const asked = await redis.get(keys.drain(offer.worker));
  if (heard(state.sealing, 'drain', asked, offerSchema.shape.worker) === undefined) return;
  state.draining = true;
  say(`asked to drain: no more cells are taken, ${state.running.size} are still running`);
}

async function renewLocks({ sources, running, say }: State): Promise<void> {
  for (const source of sources.values()) {
    const held = [...running].filter(({ cell }) => cell.source === source);
    if (held.length === 0) continue;
    for (const lost of await source.renew(held.map(({ cell }) => cell))) {
      say(`${lost.id}: this worker was taken for lost; the cell is another's now`);
      held.find(({ cell }) => cell === lost)?.stop.abort();
    }
  }
}

/** Calls `act` again and again, never twice at once; a failing connection is the next call's concern. */
function every(ms: number, act: () => Promise<void>, trouble: Trouble): Disposable {
  let isActing = false;
  const timer = setInterval(() => {
    if (isActing) return;
    isActing = true;
    act()
      .catch(trouble.met)
      .finally(() => {
        isActing = false;
      });
  }, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Of the queues with a cell that fits: by the run's priority, then to each run its share, then the longest cell. */
async function takeNext(state: State, admits: (need: Need) => boolean): Promise<HeldCell | undefined> {
  const { redis, sources, running } = state;
  if (performance.now() < state.quietUntil) return undefined;
  const fitting = [...sources.values()].filter(({ need }) => admits(need));
  if (fitting.length === 0) return undefined;
  const heads = await queueHeads(
    redis,
    fitting.map(({ queue }) => queue),
  );
  if (heads.size === 0) state.quietUntil = performance.now() + quietMs;
  const ofRun = ({ run }: FarmRun) => [...running].filter(({ cell }) => cell.source.run.run === run).length;
  const order = (a: CellSource, b: CellSource): number =>
    b.run.priority - a.run.priority ||
    ofRun(a.run) - ofRun(b.run) ||
    (heads.get(a.queue) ?? 0) - (heads.get(b.queue) ?? 0);
  for (const source of fitting.filter(({ queue }) => heads.has(queue)).sort(order)) {
    const cell = await source.take();
    if (cell !== undefined) return cell;
  }
  return undefined;
}

function checkedCell({ sealing }: State, { sealed, id, source }: HeldCell): Cell {
  const cell = sealing.open('cell', sealed, cellSchema);
  if (cell.run !== source.run.run || cell.id !== id) throw new BadMessage('it belongs to another run, or another cell');
  if (cell.notAfter < Date.now()) throw new BadMessage('it is too old');
  const { scenario } = cell.carried;
  const { qemu, memoryMiB, accel } = source.need;
  const isAsSaid =
    scenario.arch === qemu.arch &&
    scenario.qemu === qemu.name &&
    planMemoryMiB(scenario) === memoryMiB &&
    cell.accel === accel;
  if (!isAsSaid) throw new BadMessage('it needs another machine than its queue says');
  return cell;
}

/** This machine's disk, or Redis: another worker may be better off with its cells. */
function becomeUnfit(state: State, why: string): void {
  state.unfit = { untilMs: Date.now() + unfitMs, why };
}

async function outcomeOf(
  state: State,
  held: HeldCell,
  signal: AbortSignal,
): Promise<CellResult['outcome'] | undefined> {
  const { run, sealing, redis, say } = state;
  if (held.givenUp) {
    const reason = `${mostLost} workers were lost while they ran this cell, and it is not given to another`;
    return { status: 'error', reason };
  }
  const onProgress = (progress: Progress): void => {
    // Only shown: one that is lost is no loss.
    redis.publish(channels.progress(held.source.run.run), sealing.seal('progress', progress)).catch(() => {});
  };
  try {
    return await run(checkedCell(state, held), { signal, onProgress });
  } catch (error) {
    if (error instanceof Unfit) {
      // It would go round for ever where its records fit nowhere: long cells are taken first.
      if (held.begun < mostBegun) throw error;
      becomeUnfit(state, error.message);
      const reason = `workers began this cell ${held.begun} times, and it is not given to another: ${error.message}`;
      return { status: 'error', reason };
    }
    // Not another worker's: if it is the cell's doing, they would fail on it one after the other.
    if (!(error instanceof BadMessage))
      return { status: 'error', reason: `the harness failed: ${error instanceof Error ? error.message : error}` };
    // Someone without the key put it there: its submitter is not told what it cannot have asked for.
    say(`${held.id}: refused: ${error.message}`);
    return undefined;
  }
}

/** False where nobody would ever take it. */
async function deliver(state: State, { source, id }: HeldCell, outcome: CellResult['outcome']): Promise<boolean> {
  const { redis, results, offer, sealing } = state;
  const { run } = source.run;
  if ((await redis.exists(keys.run(run))) === 0) return false;
  const queue = results.get(run) ?? new Queue(resultQueue(run), { connection: redis, prefix });
  results.set(run, queue);
  // A submitter refuses a longer one, and would send the cell again and again.
  const told = 'reason' in outcome ? { ...outcome, reason: outcome.reason.slice(0, longestReason) } : outcome;
  const result: CellResult = { run, id, worker: offer.worker, outcome: told };
  const sealed = sealing.seal('result', result);
  await withRoom(() => queue.add('result', { sealed }, { removeOnComplete: true, removeOnFail: true }), state);
  return true;
}

/** Redis has said no. Where its answer was lost, it may have the result all the same. */
const isRefusal = (error: unknown): boolean => error instanceof HarnessError || (error as Error).name === 'ReplyError';

/** Whether the cell is settled: its result is delivered, or nobody wants one of this worker. Else it is another's to run. */
async function isSettled(state: State, held: HeldCell, stop: AbortSignal): Promise<boolean> {
  const { say, signal, store } = state;
  /** SHA-256 of records that nobody takes from the store. */
  let left: string | undefined;
  try {
    const outcome = await outcomeOf(state, held, AbortSignal.any([stop, signal]));
    left = outcome !== undefined && 'bundle' in outcome ? outcome.bundle.sha256 : undefined;
    if (signal.aborted) return false;
    if (outcome !== undefined && !stop.aborted && (await deliver(state, held, outcome))) left = undefined;
    return true;
  } catch (error) {
    if (!isRefusal(error)) left = undefined;
    // If it kept the cell, its lock would run out, as that of a lost worker.
    const why = (error as Error).message;
    becomeUnfit(state, why);
    say(`${held.id}: put back for another worker: ${why}; no cell is taken for ${wholeSeconds(unfitMs)}`);
    return false;
  } finally {
    if (left !== undefined) await store.remove(left).catch(() => {});
  }
}

async function work(state: State, held: HeldCell, stop: AbortSignal): Promise<void> {
  if (!(await isSettled(state, held, stop))) return held.giveBack();
  // Its run is gone, or it is another worker's now.
  if (!stop.aborted) await held.done();
}

function start(state: State, held: HeldCell): void {
  const { running, say } = state;
  const stop = new AbortController();
  const one: Running = { cell: held, sinceMs: Date.now(), stop, ended: Promise.resolve() };
  running.add(one);
  one.ended = work(state, held, stop.signal)
    .catch((error: Error) => say(`${held.id}: ${error.message}`))
    .finally(() => {
      running.delete(one);
      announce(state);
    });
  announce(state);
}

/** At once, and not only with the next beat. */
function announce(state: State): void {
  state.board.say(presenceOf(state)).catch(() => {});
}

/** Waits until one of these cells ends, or for so long. */
async function oneEnds(running: ReadonlySet<Running>, ms: number): Promise<void> {
  const over = new AbortController();
  const pause = sleep(ms, undefined, { signal: over.signal }).catch(() => {});
  await Promise.race([...[...running].map(({ ended }) => ended), pause]);
  over.abort();
}

/** Whether there is room for one more cell now; this machine is looked at once for all that need as much memory. */
function roomNow(state: State, admission: Admission): (need: Need) => boolean {
  const { draining, running } = state;
  const mayTake = !draining && !isUnfit(state);
  const known = new Map<number, boolean>();
  return ({ memoryMiB }) => {
    const admits = known.get(memoryMiB) ?? (mayTake && admission.admits(memoryMiB, running.size));
    known.set(memoryMiB, admits);
    return admits;
  };
}

/** Takes cells as this machine has room for them, until it is asked to drain and has run the last, or `signal` aborts. */
async function takeCells(state: State): Promise<void> {
  const { signal, running, jobs, trouble } = state;
  const admission = openAdmission(jobs, openCapacity());
  while (!signal.aborted && !(state.draining && running.size === 0)) {
    const held = await takeNext(state, roomNow(state, admission)).catch((error: Error) => {
      if (!signal.aborted) trouble.met(error);
      return undefined;
    });
    if (held === undefined) {
      await oneEnds(running, pollMs);
      continue;
    }
    admission.started(held.source.need.memoryMiB);
    start(state, held);
  }
  await Promise.all([...running].map(({ ended }) => ended));
}

/** Serves a farm. Resolves once it was asked to drain and has run its last cell, or `signal` aborted. */
export async function serveFarm(options: WorkerOptions): Promise<void> {
  const { redis, sealing, offer, say } = options;
  const state: State = {
    ...options,
    board: openBoard(redis, sealing),
    trouble: createTrouble(say),
    sources: new Map(),
    results: new Map(),
    running: new Set(),
    draining: false,
    unfit: undefined,
    quietUntil: 0,
    follow: oneAtATime(() => followRuns(state)),
  };
  await redis.unlink(keys.drain(offer.worker));
  await beat(state);
  try {
    using _ = every(beatMs, () => beat(state), state.trouble);
    using __ = every(lockMs / 3, () => renewLocks(state), state.trouble);
    using ___ = await listen(redis, {
      [channels.ended]: (text) => stopEnded(state, text),
      [channels.sent]: (text) => lookAtOnce(state, text),
    });
    await takeCells(state);
  } finally {
    await briefly(leave(state));
  }
}

async function leave({ board, offer, sources, results }: State): Promise<void> {
  await board.leave(offer.worker);
  for (const source of sources.values()) await source.close();
  for (const queue of results.values()) await queue.close();
}

/** A submitter says that its run has ended: at once, where its key would only expire. */
function stopEnded({ sealing, running }: State, text: string): void {
  const run = heard(sealing, 'cancel', text, runIdSchema);
  for (const { cell, stop } of running) if (cell.source.run.run === run) stop.abort();
}

/** A submitter says that it has sent cells. */
function lookAtOnce(state: State, text: string): void {
  if (heard(state.sealing, 'sent', text, runIdSchema) === undefined) return;
  const look = async (): Promise<void> => {
    await state.follow();
    state.quietUntil = 0;
  };
  look().catch(state.trouble.met);
}
