// One run in a process of its own, for its peak memory. Gets its choices from compared.mjs as its first message, and any
// further one ends the run; sends the outcome.
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openArtefacts } from '../../../.build/harness/cli/artefacts.js';
import { fileReporter } from '../../../.build/harness/report/report-files.js';
import { runRecords } from '../../../.build/harness/run/records/run-records.js';
import { runMatrix } from '../../../.build/harness/run/run-matrix.js';
import { say } from '../../setup/checkout.mjs';
import { attackedPlan, cellsOf } from './attackers.mjs';

/** Peak resident memory in MiB; getrusage would count the parent's, from before exec. */
function peakMiB() {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return Math.round(Number(kib) / 1024);
}

/** Samples what the process holds; `most` is the sample with the largest JavaScript heap, in MiB. */
function watchMemory() {
  let most = { heapUsed: 0 };
  const look = () => {
    const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
    if (heapUsed > most.heapUsed) most = { heapUsed, heapTotal, external, arrayBuffers, rss };
  };
  const timer = setInterval(look, 200);
  return () => {
    clearInterval(timer);
    return Object.fromEntries(Object.entries(most).map(([name, bytes]) => [name, Math.round(bytes / 2 ** 20)]));
  };
}

/** Memory for the reports counts too. */
const reporter = {
  ...fileReporter({ invocation: { command: 'netboot', setDirs: [] }, env: {}, recordsOf: runRecords }),
  onCaseEnd: ({ id, verdict }) => void (verdict.status === 'passed' || say(`${verdict.status} ${id}`)),
};

/** A sparse file for a guest that asks for a large one. */
function bigFile(folder) {
  const path = join(folder, 'big');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, '');
  truncateSync(path, 64 << 20);
  return path;
}

async function run({ outDir, cells, jobs, attackers }, signal) {
  const host = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const all = [...cellsOf(attackers), ...cells];
  const big = bigFile(outDir);
  const memory = watchMemory();
  const { wallMs, cases } = await runMatrix({
    ...host,
    lengthsFile: undefined,
    matrixName: 'hostile',
    cells: all,
    outDir: join(outDir, 'run'),
    jobs: jobs ?? all.length,
    accel: 'tcg',
    repeat: 1,
    reporter,
    // With an intervention a case has one attempt: no second one can make good for a changed verdict.
    intervene: (plan) => ({ plan: attackedPlan(plan, attackers, big) }),
    signal,
  });
  return { wallMs, peakMiB: peakMiB(), memory: memory(), cases: cases.map(({ id, verdict }) => ({ id, verdict })) };
}

const stopping = new AbortController();
// Ctrl-C reaches this process too; compared.mjs decides what it means.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
process.on('disconnect', () => process.exit(130));
process.once('message', async (choices) => {
  process.on('message', () => stopping.abort(new Error('interrupted')));
  const outcome = await run(choices, stopping.signal);
  process.send(outcome, () => process.exit());
});
