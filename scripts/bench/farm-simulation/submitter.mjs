// `netboot run --farm` with a matrix of any size: files are not stored, since nobody boots from them.
import { readFileSync } from 'node:fs';
import { openArtefacts } from '../../../.build/harness/cli/artefacts.js';
import { expandChosen } from '../../../.build/harness/cli/case-options.js';
import { packageVersion } from '../../../.build/harness/cli/package-version.js';
import { parseFarmAddress } from '../../../.build/harness/farm/address.js';
import { connectFarm } from '../../../.build/harness/farm/connect.js';
import { mostOpen } from '../../../.build/harness/farm/keys.js';
import { openSealing } from '../../../.build/harness/farm/seal.js';
import { openFarm } from '../../../.build/harness/farm/submit.js';
import { runMatrix } from '../../../.build/harness/run/run-matrix.js';
import { recordedLengths } from '../../../.build/scenarios/recorded-lengths.js';
import { farmKey } from './key.mjs';

const dayMs = 86_400_000;
const nowhere = {
  put: async () => 0,
  get: () => Promise.reject(new Error('nothing is stored')),
  remove: async () => {},
};

const figures = { finished: 0, cells: 0, readyMs: 0, readyCpuMs: 0, readyMiB: 0 };

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
/** Resident now and at most, MiB (proc(5)). */
const memoryMiB = (field) =>
  Math.round(
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/self/status', 'latin1'))[1]) / 1024,
  );

/** Only the first cells of the matrix's repeats, so that there are as many as asked for. */
const limited = (farm, most) => ({
  cores: farm.cores,
  run(cases, signal) {
    const chosen = cases.slice(0, most);
    Object.assign(figures, { finished: 0, cells: chosen.length, readyMs: performance.now(), readyCpuMs: cpuMs() });
    figures.readyMiB = memoryMiB('VmRSS');
    return farm.run(chosen, signal);
  },
});

async function submit({ socket, cells: most, outDir }) {
  const host = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const { matrix, cells } = await expandChosen({}, host);
  const redis = await connectFarm({ address: parseFarmAddress(socket), env: {}, say: () => {} });
  const farm = await openFarm({
    ...{ redis, sealing: openSealing(farmKey), store: nowhere, fingerprints: host.fingerprints },
    ...{
      version: packageVersion(),
      matrix: matrix.name,
      accel: 'tcg',
      labels: [],
      priority: 0,
      waitMs: dayMs,
      mostOpen,
    },
    say: () => {},
  });
  await runMatrix({
    ...host,
    ...{ matrixName: matrix.name, cells, outDir, accel: 'tcg', recordedLengths, lengthsFile: undefined },
    repeat: Math.ceil(most / cells.length),
    elsewhere: limited(farm, most),
    reporter: {
      onCaseEnd() {
        figures.finished += 1;
      },
    },
    signal: new AbortController().signal,
  });
}

process.on('disconnect', () => process.exit());
process.on('message', (asked) => {
  if ('submit' in asked)
    submit(asked.submit).catch((error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    });
  if ('report' in asked)
    process.send({
      ...figures,
      nowMs: performance.now(),
      cpuMs: cpuMs(),
      memoryMiB: memoryMiB('VmRSS'),
      peakMiB: memoryMiB('VmHWM'),
    });
});
