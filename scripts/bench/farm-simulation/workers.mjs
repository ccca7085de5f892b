// Many workers in one process: all is as in `netboot worker`, except that a cell is slept through.
import { setTimeout as pause } from 'node:timers/promises';
import { parseFarmAddress } from '../../../.build/harness/farm/address.js';
import { connectFarm } from '../../../.build/harness/farm/connect.js';
import { openSealing } from '../../../.build/harness/farm/seal.js';
import { serveFarm } from '../../../.build/harness/farm/worker.js';
import { recordedLengths } from '../../../.build/scenarios/recorded-lengths.js';
import { farmKey } from './key.mjs';

const usualS = 5;
/** Of the slept time; 1 is as recorded. */
let scale = 1;
let cells = 0;
/** From the end of a worker's cell to the start of its next, ms. */
let gapsMs = [];

const lengthMs = (id) => (recordedLengths[id.replace(/~\d+$/, '')]?.[0] ?? usualS) * 1000 * scale;

function sleeper() {
  let endedMs;
  return async ({ id }, { signal }) => {
    if (endedMs !== undefined) gapsMs.push(performance.now() - endedMs);
    const ms = lengthMs(id);
    if (ms > 0) await pause(ms, undefined, { signal }).catch(() => {});
    cells += 1;
    endedMs = performance.now();
    return { status: 'not-run', reason: 'it was slept through' };
  };
}

async function serve(name, { socket, offer }) {
  const redis = await connectFarm({ address: parseFarmAddress(socket), env: {}, say: () => {} });
  await serveFarm({
    ...{ redis, sealing: openSealing(farmKey), offer: { ...offer, worker: name }, jobs: 1, run: sleeper() },
    say: () => {},
    signal: new AbortController().signal,
  });
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
let cpuBeganMs = 0;

process.on('disconnect', () => process.exit());
process.on('message', (asked) => {
  if ('names' in asked) {
    for (const name of asked.names) {
      serve(name, asked).catch((error) => {
        process.stderr.write(`${name}: ${error.message}\n`);
        process.exit(1);
      });
    }
  }
  if ('scale' in asked) {
    [scale, cells, gapsMs, cpuBeganMs] = [asked.scale, 0, [], cpuMs()];
  }
  if ('report' in asked) process.send({ cells, gapsMs, cpuMs: cpuMs() - cpuBeganMs });
});
