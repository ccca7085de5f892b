import { once } from 'node:events';
import { hostname } from 'node:os';
import { reachOf } from '../model/reach.ts';
import { planMemoryMiB } from '../plan/argv.ts';
import { unstartedResult } from '../run/case-result.ts';
import type { HandedCase } from '../run/elsewhere.ts';
import { type CarriedCase, carry, type SentFile } from './carried.ts';
import { channels } from './keys.ts';
import type { Cell, FarmRun } from './messages.ts';
import { type Need, needKey, nicsDigest } from './need.ts';
import { ownCode } from './offer.ts';
import { withRoom } from './room.ts';
import { openSentQueue, type SealedCell, type SentQueue } from './sent-cells.ts';
import { finishCase, type SubmitOptions, type Submitted } from './submitted.ts';

/** A cell that was sent is not run any more after so long. */
const validMs = 7 * 24 * 3600_000;
/** Cells are made ready and sent so many at a time: only what is on its way is held in memory. */
const batchCells = 50;

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

function sealedCell(handed: HandedCase, { carried, files }: CarriedCase, state: Submitted): SealedCell {
  const { id, round } = handed.run;
  const cell: Cell = {
    ...{ run: state.run, id, round, accel: state.accel, carried, sharesStart: handed.sharesStart },
    files: [...new Map(files.map(({ sha256, bytes }) => [sha256, { sha256, bytes }])).values()],
    notAfter: Date.now() + validMs,
  };
  return { id, lengthMs: handed.lengthMs, sealed: state.sealing.seal('cell', cell) };
}

async function putFiles(files: readonly SentFile[], { store, stored }: Submitted): Promise<void> {
  for (const file of files) {
    if (stored.has(file.sha256)) continue;
    await store.put(file, file.path);
    stored.add(file.sha256);
  }
}

/** Says that this run is there, with the queues that it has by now. */
export async function sayRun({ board, run, startedAt, matrix, priority, queues }: Submitted): Promise<void> {
  const needs = [...queues.values()].map(({ need }) => need);
  const said: FarmRun = { run, startedAt, matrix, priority, submitter: `${hostname()} ${process.pid}`, needs };
  await board.sayRun(said);
}

/** The queue of a need; true where this run has just opened it. */
async function queueOf(need: Need, { queues, redis, run }: Submitted): Promise<[SentQueue, boolean]> {
  const key = needKey(need);
  const known = queues.get(key);
  if (known !== undefined) return [known, false];
  const opened = await openSentQueue(redis, run, need);
  queues.set(key, opened);
  return [opened, true];
}

/** Sends cases that have no result; one that cannot be sent is finished as not run. */
async function sendBatch(batch: readonly HandedCase[], state: Submitted, signal: AbortSignal): Promise<void> {
  const { unsent, open, redis, run, sealing, say } = state;
  const ready = new Map<SentQueue, { handed: HandedCase; cell: SealedCell }[]>();
  let isNews = false;
  for (const handed of batch) {
    const { found } = handed.run;
    const carried = await carry(found, state);
    if ('obstacle' in carried) {
      await finishCase(state, handed, unstartedResult(handed.run, found.scenario, 'not-run', carried.obstacle));
      continue;
    }
    await putFiles(carried.files, state);
    const [queue, isNew] = await queueOf(needOf(handed, carried, state), state);
    isNews ||= isNew;
    ready.set(queue, [...(ready.get(queue) ?? []), { handed, cell: sealedCell(handed, carried, state) }]);
  }
  for (const [queue, cells] of ready) {
    // One that is sent again may have got its result meanwhile.
    const wanted = cells.filter(({ handed }) => unsent.has(handed) || open.has(handed.run.id));
    for (const { handed } of wanted) {
      unsent.delete(handed);
      open.set(handed.run.id, { handed, queue });
    }
    await withRoom(() => queue.add(wanted.map(({ cell }) => cell)), { say, signal });
  }
  if (!isNews) return;
  await withRoom(() => sayRun(state), { say, signal });
  await redis.publish(channels.sent, sealing.seal('sent', run));
}

/** Sends cases in this order until `signal` aborts; `mayGoOn` resolves when there may be more. */
async function sendAll(
  cases: readonly HandedCase[],
  state: Submitted,
  signal: AbortSignal,
  mayGoOn: () => Promise<void> = async () => {},
): Promise<void> {
  for (let at = 0; at < cases.length && !signal.aborted; at += batchCells) {
    await sendBatch(cases.slice(at, at + batchCells), state, signal);
    await mayGoOn();
  }
}

/** Sends cases to the workers, long ones first, and the rest as others finish. */
export function sendCells(cases: readonly HandedCase[], state: Submitted, signal: AbortSignal): Promise<void> {
  const longestFirst = cases.toSorted((a, b) => b.lengthMs - a.lengthMs);
  return sendAll(longestFirst, state, signal, async () => {
    while (state.open.size > state.mostOpen - batchCells && !signal.aborted)
      await once(state.finished, 'case', { signal }).catch(() => {});
  });
}

/** Sends cases again that Redis lost: they have their place. */
export function sendAgain(lost: readonly HandedCase[], state: Submitted, signal: AbortSignal): Promise<void> {
  return sendAll(lost, state, signal);
}
