// Runs the default matrix several times, and sees whether every cell does the same each time.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { runMatrix } from '../../.build/harness/run/run-matrix.js';
import { say } from '../setup/checkout.mjs';
import { interruptible, parsed, stamp } from './command.mjs';

const usage = `Usage: npm run -s campaign -- agree [options]

Runs the default matrix in rounds, one whole run after another, and prints every cell whose status, stop or failure rule
differs between two rounds.

  --rounds N      this many rounds (default: 3)
  --cells GLOBS   only these cells, by id or group; comma-separated, * for any text
  --matrix FILE   a matrix of your own instead of the default one
  --out DIR       where the runs go, one folder a round (default: .runs/agree-<time>); rounds that are there are gone on with
  --jobs N        this many guests at once, instead of as many as the host carries
  --json          the result as JSON on standard output
  --help

Exit code: 0 where all rounds agree, 1 otherwise.`;

const options = {
  rounds: { type: 'string', count: true, default: '3' },
  cells: { type: 'string', many: true },
  matrix: { type: 'string' },
  out: { type: 'string' },
  jobs: { type: 'string', count: true },
  json: { type: 'boolean' },
};

const doneIn = ({ verdict: { status, stoppedAt, failure } }) =>
  [
    status,
    ...(stoppedAt === null ? [] : [`at ${stoppedAt}`]),
    ...(failure === null ? [] : [`by ${failure.rule}`]),
  ].join(' ');

/** Cells that did not do the same in all rounds, with what they did in each. */
function differing(rounds) {
  const [first] = rounds;
  return first.cases
    .map(({ id }) => ({ id, did: rounds.map(({ cases }) => doneIn(cases.find((one) => one.id === id))) }))
    .filter(({ did }) => new Set(did).size > 1);
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const outDir = resolve(given.out ?? `.runs/agree-${stamp()}`);
  const host = await openArtefacts([], { env: process.env });
  const { matrix, cells } = await expandChosen({ matrix: given.matrix }, host);
  const chosen = selectCells(cells, given.cells ?? [], {});
  const rounds = await interruptible(async (signal) => {
    const runs = [];
    for (let round = 1; round <= given.rounds && !signal.aborted; round++) {
      say(`round ${round} of ${given.rounds}: ${chosen.length} cells`);
      const directory = join(outDir, `round-${round}`);
      const resume = existsSync(join(directory, 'run.json'));
      const onCaseEnd = ({ id, verdict }) => void (verdict.status === 'passed' || say(`${verdict.status} ${id}`));
      const run = { ...host, matrixName: matrix.name, cells: chosen, outDir: directory, resume, jobs: given.jobs };
      runs.push(await runMatrix({ ...run, accel: 'tcg', repeat: 1, reporter: { onCaseEnd }, signal }));
    }
    return runs;
  });
  const differences = differing(rounds);
  if (given.json)
    process.stdout.write(
      `${JSON.stringify({ rounds: rounds.length, cells: chosen.length, differences, directory: outDir }, null, 2)}\n`,
    );
  else {
    for (const { id, did } of differences) process.stdout.write(`${id}: ${did.join(' | ')}\n`);
    const times = rounds.map(({ wallMs }) => `${Math.round(wallMs / 1000)} s`).join(', ');
    process.stdout.write(
      `${chosen.length} cells in ${rounds.length} rounds (${times}): ${differences.length} differ; ${outDir}\n`,
    );
  }
  if (differences.length > 0) process.exitCode = 1;
}
