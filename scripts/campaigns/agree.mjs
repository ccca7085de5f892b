// Runs the default matrix several times, and checks that every cell does the same each time.

import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { defaultTemplatesMiB } from '../../.build/harness/run/templates/template-store.js';
import { interruptible, parsed, stamp } from '../command.mjs';
import { costLines, costsOf } from './costs.mjs';
import { memoryMiB } from './memory.mjs';
import { reportRounds, runRound } from './rounds.mjs';

const usage = `Usage: npm run -s campaign -- agree [options]

Runs the default matrix in rounds, one whole run after another, and prints every cell whose status, stages, configuration,
stop or failure differs between two rounds. With --starts cold,warm every second round starts its guests from templates.
Then it prints what each way to start cost, in wall time and CPU, and as a multiple of cold, and the memory of the process.
The first of several kept rounds makes the templates and is not counted.

  --rounds N      number of rounds (default: 3)
  --cells GLOBS   only these cells, by id or group; comma-separated, * for any text
  --matrix FILE   your own matrix instead of the default one
  --starts KINDS  how guests start, in turn: cold, warm, kept (default: cold); comma-separated
  --out DIR       where the runs go, one folder per round (default: .runs/agree-<time>); existing rounds are resumed
  --jobs N        number of guests at once (default: as many as the host can run)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if all rounds agree, no verdict is an error and a cell passed; 1 otherwise.`;

const limitBytes = defaultTemplatesMiB * 2 ** 20;

/** What `runMatrix` is told about templates. */
const starts = { cold: undefined, warm: { keep: false, limitBytes }, kept: { keep: true, limitBytes } };

const options = {
  rounds: { type: 'string', count: true, default: '3' },
  cells: { type: 'string', many: true },
  matrix: { type: 'string' },
  starts: { type: 'string', many: true, oneOf: Object.keys(starts) },
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
  const { starts: kinds = ['cold'] } = given;
  const rounds = await interruptible(async (signal) => {
    const runs = [];
    for (let round = 1; round <= given.rounds && !signal.aborted; round++) {
      const start = kinds[(round - 1) % kinds.length];
      const name = start === 'cold' ? `round-${round}` : `round-${round}-${start}`;
      // Rounds of one kind must not find the templates of another, nor those of earlier runs.
      const templatesFolder = join(outDir, `templates-${start}`);
      const shared = { host: { ...host, templatesFolder }, matrix, cells, outDir, jobs: given.jobs, signal };
      const ran = await runRound({ ...shared, name, templates: starts[start] });
      runs.push({ ...ran, start, memoryMiB: memoryMiB() });
    }
    return runs;
  });
  rmSync(join(outDir, 'templates-kept'), { recursive: true, force: true });
  const costs = costsOf(rounds);
  const memory = rounds.map((round) => round.memoryMiB);
  const memoryLine = `memory of the process after each: ${memory.map(({ resident }) => `${resident} MiB`).join(', ')}`;
  const more = [...costLines(costs), memoryLine];
  reportRounds(rounds, { outDir, json: given.json, facts: { costs, memoryMiB: memory }, more });
}
