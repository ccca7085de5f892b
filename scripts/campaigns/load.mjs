// Runs cells on an idle host, then repeatedly on a busy one: load may slow them down, but must not change a verdict.
import { resolve } from 'node:path';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { interruptible, parsed, stamp } from '../command.mjs';
import { withBusyLoops } from './busy-loops.mjs';
import { reportRounds, runRound } from './rounds.mjs';

/** The first stages of all three firmwares: 54 cells that boot or stop within seconds. */
const firstStages = [
  'bios-ipxe-rom',
  'bios-pxe-rom',
  'uefi-ipxe-rom',
  'bios-no-rom',
  'uefi-no-driver',
  'arm-no-driver',
];

const usage = `Usage: npm run -s campaign -- load [options]

Runs cells with the default number of guests, for reference, and then in rounds with many guests at once and busy loops.
Prints every cell whose status, stop or failure rule differs between any two of the runs. Ends its loops and guests itself.

  --rounds N      number of rounds under load (default: 3)
  --loops N       number of busy loops (default: 4)
  --jobs N        number of guests at once under load (default: 16)
  --cells GLOBS   these cells, by id or group; comma-separated, * for any text (default: ${firstStages.join(',')})
  --out DIR       where the runs go (default: .runs/load-<time>); existing runs are resumed
  --json          the result as JSON on standard output
  --help

Exit code: 0 if no verdict differs, none is an error and a cell passed; 1 otherwise.`;

const options = {
  rounds: { type: 'string', count: true, default: '3' },
  loops: { type: 'string', count: true, default: '4' },
  jobs: { type: 'string', count: true, default: '16' },
  cells: { type: 'string', many: true, default: firstStages.join(',') },
  out: { type: 'string' },
  json: { type: 'boolean' },
};

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const { rounds, loops, jobs, json } = given;
  const outDir = resolve(given.out ?? `.runs/load-${stamp()}`);
  const host = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const { matrix, cells: all } = await expandChosen({}, host);
  const shared = { host, matrix, cells: selectCells(all, given.cells, {}), outDir };
  const runs = await interruptible(async (signal) => {
    const quiet = await runRound({ ...shared, name: 'quiet', signal });
    const busy = [];
    for (let round = 1; round <= rounds && !signal.aborted; round++) {
      const name = `busy-${round}`;
      busy.push(await withBusyLoops(loops, () => runRound({ ...shared, name, jobs, signal })));
    }
    return [quiet, ...busy];
  });
  reportRounds(runs, { outDir, json, facts: { loops, jobs } });
}
