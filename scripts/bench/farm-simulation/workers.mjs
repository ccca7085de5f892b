// Many workers in one process: all is as in `netboot worker`, except that a cell is slept through.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { parseFarmAddress } from '../../../.build/harness/farm/address.js';
import { connectFarm } from '../../../.build/harness/farm/connect.js';
import { openSealing } from '../../../.build/harness/farm/seal.js';
import { serveFarm } from '../../../.build/harness/farm/worker.js';
import { recordedLengths } from '../../../.build/scenarios/recorded-lengths.js';
import { farmKey } from './key.mjs';

const usualS = 5;
/** Of the slept time, as long as a step lasts; before and after it workers hold the cell that they have taken. */
let scale;
/** Aborted when the next step begins: no cell of before is waited for. */
let nextStep = new AbortController();
let [cells, held, cpuBeganMs] = [0, 0, 0];
/** Workers that have run a cell in this step. */
const begun = new Set();
/** From the end of a worker's cell to the start of its next, ms. */
let gapsMs = [];

const lengthMs = (id) => (recordedLengths[id.replace(/~\d+$/, '')]?.[0] ?? usualS) * 1000 * scale;

async function hold(signal) {
  held += 1;
  await once(AbortSignal.any([signal, nextStep.signal]), 'abort');
  held -= 1;
}

async function sleepThrough(id, signal) {
  const ms = lengthMs(id);
  if (ms > 0) await pause(ms, undefined, { signal: AbortSignal.any([signal, nextStep.signal]) }).catch(() => {});
  cells += 1;
}

function sleeper(name) {
  let endedMs;
  return async ({ id }, { signal }) => {
    if (scale === undefined) await hold(signal);
    else {
      if (endedMs !== undefined) gapsMs.push(performance.now() - endedMs);
      await sleepThrough(id, signal);
      begun.add(name);
    }
    endedMs = performance.now();
    return { status: 'not-run', reason: 'it was slept through' };
  };
}

async function serve(name, { socket, offer }) {
  const redis = await connectFarm({ address: parseFarmAddress(socket), env: {}, say: () => {} });
  await serveFarm({
    ...{ redis, sealing: openSealing(farmKey), offer: { ...offer, worker: name }, jobs: 1, run: sleeper(name) },
    say: () => {},
    signal: new AbortController().signal,
  });
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const hear = {
  join({ names, ...farm }) {
    for (const name of names) {
      serve(name, farm).catch((error) => {
        process.stderr.write(`${name}: ${error.message}\n`);
        process.exit(1);
      });
    }
  },
  begin(given) {
    scale = given;
    begun.clear();
    nextStep.abort();
    nextStep = new AbortController();
  },
  count() {
    [cells, gapsMs, cpuBeganMs] = [0, [], cpuMs()];
  },
  hold() {
    scale = undefined;
  },
  report() {
    process.send({ cells, held, begun: begun.size, gapsMs, cpuMs: cpuMs() - cpuBeganMs });
  },
};

process.on('disconnect', () => process.exit());
process.on('message', (asked) => {
  for (const [what, given] of Object.entries(asked)) hear[what](given);
});
