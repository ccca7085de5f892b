// What the workers of one process did in the step of a simulation that is going on.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** Counts cells and the workers that ran one; `lengthMs(id, scale)` is how long a cell is slept through. */
export function openSteps(lengthMs) {
  /** Of the slept time, as long as a step lasts; before and after it workers hold the cell that they have taken. */
  let scale;
  /** Aborted when the next step begins: no cell of before is waited for. */
  let nextStep = new AbortController();
  let [cells, held] = [0, 0];
  /** Workers that have run a cell in this step. */
  const begun = new Set();
  /** From the end of a worker's cell to the start of its next, ms. */
  let gapsMs = [];

  async function hold(signal) {
    held += 1;
    await once(AbortSignal.any([signal, nextStep.signal]), 'abort');
    held -= 1;
  }

  async function sleepThrough(id, name, signal) {
    const step = nextStep;
    const ms = lengthMs(id, scale);
    if (ms > 0) await pause(ms, undefined, { signal: AbortSignal.any([signal, step.signal]) }).catch(() => {});
    // One that the next step cut short is of neither.
    if (step !== nextStep) return;
    cells += 1;
    begun.add(name);
  }

  return {
    /** A worker of this name: how it runs a cell. */
    sleeper(name) {
      let endedMs;
      return async ({ id }, { signal }) => {
        if (scale === undefined) await hold(signal);
        else {
          if (endedMs !== undefined) gapsMs.push(performance.now() - endedMs);
          await sleepThrough(id, name, signal);
        }
        endedMs = performance.now();
        return { status: 'not-run', reason: 'it was slept through' };
      };
    },
    begin(given) {
      scale = given;
      begun.clear();
      nextStep.abort();
      nextStep = new AbortController();
    },
    count() {
      [cells, gapsMs] = [0, []];
    },
    hold() {
      scale = undefined;
    },
    report: () => ({ cells, held, begun: begun.size, gapsMs }),
  };
}
