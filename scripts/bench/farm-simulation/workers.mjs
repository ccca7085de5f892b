// Many workers in one process: all is as in `netboot worker`, except that a cell is slept through.
import { parseFarmAddress } from '../../../.build/harness/farm/address.js';
import { connectFarm } from '../../../.build/harness/farm/connect.js';
import { openSealing } from '../../../.build/harness/farm/seal.js';
import { serveFarm } from '../../../.build/harness/farm/worker.js';
import { recordedLengths } from '../../../.build/scenarios/recorded-lengths.js';
import { farmKey } from './key.mjs';
import { openSteps } from './steps.mjs';

const usualS = 5;
const lengthMs = (id, scale) => (recordedLengths[id.replace(/~\d+$/, '')]?.[0] ?? usualS) * 1000 * scale;

const steps = openSteps(lengthMs);
let cpuBeganMs = 0;

async function serve(name, { socket, offer }) {
  const redis = await connectFarm({ address: parseFarmAddress(socket), env: {}, say: () => {} });
  await serveFarm({
    ...{ redis, sealing: openSealing(farmKey), offer: { ...offer, worker: name }, jobs: 1, run: steps.sleeper(name) },
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
  begin: steps.begin,
  count() {
    steps.count();
    cpuBeganMs = cpuMs();
  },
  hold: steps.hold,
  report() {
    process.send({ ...steps.report(), cpuMs: cpuMs() - cpuBeganMs });
  },
};

process.on('disconnect', () => process.exit());
process.on('message', (asked) => {
  for (const [what, given] of Object.entries(asked)) hear[what](given);
});
