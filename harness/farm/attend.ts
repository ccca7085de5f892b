import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { wholeSeconds } from '../model/time-text.ts';
import { unstartedResult } from '../run/case-result.ts';
import { partingMs } from './connect.ts';
import { beatMs } from './keys.ts';
import type { Presence } from './messages.ts';
import { lackOf, type Need, type Offer } from './need.ts';
import { createTrouble } from './room.ts';
import { sayRun, sendAgain } from './send-cells.ts';
import type { SentQueue } from './sent-cells.ts';
import { finishCase, type SentCell, type Submitted } from './submitted.ts';

function openByQueue({ open }: Submitted): Map<SentQueue, SentCell[]> {
  const cells = new Map<SentQueue, SentCell[]>();
  for (const cell of open.values()) {
    const others = cells.get(cell.queue);
    if (others) others.push(cell);
    else cells.set(cell.queue, [cell]);
  }
  return cells;
}

function whyNone(need: Need, offers: readonly Offer[]): string {
  if (offers.length === 0) return 'there is no worker';
  return offers.map((offer) => `${offer.worker}: ${lackOf(need, offer)}`).join('; ');
}

/** Cells that none of the workers can run are said at once, and not run after a while. */
function createPatience(state: Submitted): (offers: readonly Offer[]) => Promise<void> {
  const without = new Map<SentQueue, { sinceMs: number; why: string }>();
  return async (offers) => {
    const open = openByQueue(state);
    for (const queue of state.queues.values()) {
      const cells = open.get(queue) ?? [];
      const isServed = offers.some((offer) => lackOf(queue.need, offer) === undefined);
      if (cells.length === 0 || isServed) {
        without.delete(queue);
        continue;
      }
      const why = whyNone(queue.need, offers);
      const since = without.get(queue);
      if (since?.why !== why) {
        const some = cells.length === 1 ? cells[0]?.handed.run.id : `${cells.length} cells`;
        state.say(`no worker can run ${some}: ${why}; waiting ${wholeSeconds(state.waitMs)}`);
      }
      const sinceMs = since?.sinceMs ?? performance.now();
      without.set(queue, { sinceMs, why });
      if (performance.now() - sinceMs < state.waitMs) continue;
      for (const { handed } of cells) {
        const { run } = handed;
        // One that a lost worker holds waits again first.
        if (!(await queue.remove(run.id))) continue;
        const reason = `No worker of the farm can run it: ${why}.`;
        await finishCase(state, handed, unstartedResult(run, run.found.scenario, 'not-run', reason));
      }
    }
  };
}

/** A cell that every worker puts back would go round in silence. */
function createNews({ queues, say }: Submitted): (workers: readonly Presence[]) => void {
  const told = new Map<string, string>();
  return (workers) => {
    const needs = [...queues.values()].map(({ need }) => need);
    for (const { offer, unfit } of workers) {
      if (unfit === undefined) told.delete(offer.worker);
      else if (told.get(offer.worker) !== unfit && needs.some((need) => lackOf(need, offer) === undefined)) {
        say(`worker ${offer.worker} takes no cell for now: ${unfit}`);
        told.set(offer.worker, unfit);
      }
    }
  };
}

/** Sends again what Redis lost: it was started again without its data, or ran out of memory. */
function createRecovery(
  state: Submitted,
  resultsOnTheWay: () => Promise<number>,
  signal: AbortSignal,
): () => Promise<void> {
  let suspects = new Set<string>();
  return async () => {
    const lacking: [SentQueue, SentCell[]][] = [];
    let lackingCells = 0;
    for (const [queue, cells] of openByQueue(state)) {
      const count = await queue.count();
      if (count >= cells.length) continue;
      lacking.push([queue, cells]);
      lackingCells += cells.length - count;
    }
    const gone: SentCell[] = [];
    // Mostly they are done, and their results wait to be taken.
    if (lackingCells > (await resultsOnTheWay())) {
      for (const [queue, cells] of lacking) {
        const missing = new Set(await queue.missing(cells.map(({ handed }) => handed.run.id)));
        gone.push(...cells.filter(({ handed }) => missing.has(handed.run.id)));
      }
    }
    // A result may be on the way: only what stays away is lost.
    const lost = gone.filter(({ handed }) => suspects.has(handed.run.id) && state.open.has(handed.run.id));
    suspects = new Set(gone.map(({ handed }) => handed.run.id));
    for (const { handed } of lost) suspects.delete(handed.run.id);
    if (lost.length === 0) return;
    // Their files are lost as well, perhaps.
    state.stored.clear();
    await sendAgain(
      lost.map(({ handed }) => handed),
      state,
      signal,
    );
    const note = `the farm's Redis lost ${lost.length} cells, which were sent again`;
    state.notes.push(note);
    state.say(note);
  };
}

/** Everything that is done again and again while a run waits for its workers. */
export async function attend(
  state: Submitted,
  resultsOnTheWay: () => Promise<number>,
  done: AbortSignal,
): Promise<void> {
  const { board, say } = state;
  const trouble = createTrouble(say);
  const [recover, giveUp] = [createRecovery(state, resultsOnTheWay, done), createPatience(state)];
  const tellNews = createNews(state);
  const turn = async () => {
    await sayRun(state);
    const workers = (await board.workers()).filter(({ draining }) => !draining);
    tellNews(workers);
    await giveUp(workers.map(({ offer }) => offer));
    await recover();
    trouble.over();
  };
  const over = new AbortController();
  // A lost connection may never come back.
  const givenUp = once(done, 'abort').then(() => sleep(partingMs, undefined, { signal: over.signal }));
  givenUp.catch(() => {});
  while (!done.aborted) {
    await Promise.race([turn().catch(trouble.met), givenUp]);
    await sleep(beatMs, undefined, { signal: done }).catch(() => {});
  }
  over.abort();
}
