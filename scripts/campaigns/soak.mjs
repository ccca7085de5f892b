// Runs a matrix over and over in one process: every round must do the same, and the process must not grow.
import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { SetUpError, say } from '../setup/checkout.mjs';
import { interruptible, parsed, stamp } from './command.mjs';
import { didIn, runRound } from './rounds.mjs';

/** By then everything has been loaded, compiled and cached. */
const settledRound = 2;
const mostGrowth = 1.1;

const usage = `Usage: npm run -s campaign -- soak [options]

Runs the default matrix in rounds within one process, and prints every cell that does anything else than in the first round,
and the memory of the process after each, garbage collected. The records of a round that agrees with the first are removed.

  --rounds N      number of rounds, at least 3 (default: 20)
  --cells GLOBS   only these cells, by id or group; comma-separated, * for any text
  --out DIR       a new folder for the runs (default: .runs/soak-<time>)
  --jobs N        number of guests at once (default: as many as the host can run)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if all rounds agree and the process has at most ${Math.round((mostGrowth - 1) * 100)} % more memory after the last than after the
second; 1 otherwise.`;

const options = {
  rounds: { type: 'string', count: true, default: '20' },
  cells: { type: 'string', many: true },
  out: { type: 'string' },
  jobs: { type: 'string', count: true },
  json: { type: 'boolean' },
};

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** What the process holds: resident pages, and within them what JavaScript uses. */
function memoryMiB() {
  collectGarbage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: Math.round(rss / 2 ** 20), used: Math.round((heapUsed + external) / 2 ** 20) };
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  if (given.rounds <= settledRound) throw new SetUpError(`--rounds: expected at least ${settledRound + 1}`, 2);
  const outDir = resolve(given.out ?? `.runs/soak-${stamp()}`);
  if (existsSync(outDir)) throw new SetUpError(`--out: expected a new folder; ${outDir} exists`, 2);
  const host = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const { matrix, cells: all } = await expandChosen({}, host);
  const cells = selectCells(all, given.cells ?? [], {});
  const memory = [];
  const differences = [];
  let first;
  await interruptible(async (signal) => {
    for (let round = 1; round <= given.rounds && !signal.aborted; round++) {
      const name = `round-${round}`;
      const { cases } = await runRound({ name, host, matrix, cells, outDir, jobs: given.jobs, signal });
      if (signal.aborted) return;
      const did = new Map(cases.map((one) => [one.id, didIn(one)]));
      first ??= did;
      const differing = [...did].filter(([id, what]) => what !== first.get(id));
      differences.push(...differing.map(([id, what]) => ({ id, round, did: [first.get(id), what] })));
      if (round > 1 && differing.length === 0) rmSync(join(outDir, name), { recursive: true });
      memory.push(memoryMiB());
      say(`${name}: ${differing.length} differ, ${JSON.stringify(memory.at(-1))} MiB`);
    }
  });
  if (memory.length <= settledRound) return;
  const growth = memory.at(-1).resident / memory[settledRound - 1].resident;
  const ok = differences.length === 0 && growth <= mostGrowth;
  const report = {
    ok,
    rounds: memory.length,
    cells: cells.length,
    growth,
    memoryMiB: memory,
    differences,
    directory: outDir,
  };
  if (given.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    for (const { id, round, did } of differences) process.stdout.write(`${id}, round ${round}: ${did.join(' | ')}\n`);
    const [second, last] = [memory[settledRound - 1], memory.at(-1)].map(({ resident }) => resident);
    process.stdout.write(
      `${cells.length} cells in ${memory.length} rounds: ${differences.length} differ; ${second} MiB after round ${settledRound}, ${last} MiB at the end (× ${growth.toFixed(2)}); ${outDir}\n`,
    );
  }
  if (!ok) process.exitCode = 1;
}
