// Runs the default matrix several times, and checks that every cell does the same each time.

import { resolve } from 'node:path';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { interruptible, parsed, stamp } from './command.mjs';
import { reportRounds, runRound } from './rounds.mjs';

const usage = `Usage: npm run -s campaign -- agree [options]

Runs the default matrix in rounds, one whole run after another, and prints every cell whose status, stop or failure rule
differs between two rounds.

  --rounds N      number of rounds (default: 3)
  --cells GLOBS   only these cells, by id or group; comma-separated, * for any text
  --matrix FILE   your own matrix instead of the default one
  --out DIR       where the runs go, one folder per round (default: .runs/agree-<time>); existing rounds are resumed
  --jobs N        number of guests at once (default: as many as the host can run)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if all rounds agree, 1 otherwise.`;

const options = {
  rounds: { type: 'string', count: true, default: '3' },
  cells: { type: 'string', many: true },
  matrix: { type: 'string' },
  out: { type: 'string' },
  jobs: { type: 'string', count: true },
  json: { type: 'boolean' },
};

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const outDir = resolve(given.out ?? `.runs/agree-${stamp()}`);
  const host = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const { matrix, cells: all } = await expandChosen({ matrix: given.matrix }, host);
  const cells = selectCells(all, given.cells ?? [], {});
  const rounds = await interruptible(async (signal) => {
    const runs = [];
    for (let round = 1; round <= given.rounds && !signal.aborted; round++) {
      const name = `round-${round}`;
      runs.push(await runRound({ name, host, matrix, cells, outDir, jobs: given.jobs, signal }));
    }
    return runs;
  });
  reportRounds(rounds, { outDir, json: given.json });
}
