// Breaks boots on purpose, in the real run, and checks that their verdicts notice: if a cell passes although its boot
// met a break, its expectation, or a rule, is too wide.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { runMatrix } from '../../.build/harness/run/run-matrix.js';
import { interruptible, parsed, stamp } from '../command.mjs';
import { say } from '../setup/checkout.mjs';
import { chooseSabotages, chosenCells, kindNames } from './sabotage/choose.mjs';
import { damagedFiles } from './sabotage/damaged-files.mjs';
import { deadlinesFor } from './sabotage/deadlines.mjs';
import { interventionOf } from './sabotage/intervention.mjs';
import { outcomeOf } from './sabotage/outcome.mjs';
import { printReport, reportOf } from './sabotage/report.mjs';

const usage = `Usage: npm run -s sabotage -- [options]

Takes every cell that is expected to stop, and one that is expected to boot for each firmware and transport, breaks each
in several ways, and fails if a broken boot passes.

  --cells GLOBS   only these cells, by id or group; comma-separated, * for any text
  --kinds NAMES   only these kinds of break: ${kindNames.join(', ')}
  --matrix FILE   your own matrix instead of the default one
  --out DIR       where the records go (default: .runs/sabotage-<time>); an existing campaign is resumed
  --jobs N        number of guests at once (default: as many as the host can run)
  --json          the report as JSON on standard output
  --help

Exit code: 0 if no sabotaged boot passed and every cell met a break (two kinds for an expected stop); 1 otherwise.`;

const options = {
  cells: { type: 'string', many: true },
  kinds: { type: 'string', many: true, oneOf: kindNames },
  matrix: { type: 'string' },
  out: { type: 'string' },
  jobs: { type: 'string', count: true },
  json: { type: 'boolean' },
};

const recordFile = 'campaign.json';

/** The options the campaign was started with: a resumed one breaks the same boots in the same ways. */
function askedFor(outDir, { cells = [], kinds = kindNames, matrix }) {
  const record = join(outDir, recordFile);
  if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8'));
  return { cells, kinds, ...(matrix === undefined ? {} : { matrix: resolve(matrix) }) };
}

function keepAsked(outDir, asked) {
  mkdirSync(outDir, { recursive: true });
  writeFileSync(join(outDir, recordFile), `${JSON.stringify(asked, null, 2)}\n`);
}

/** One line per finished case. */
function progress(outDir, outcomes) {
  let total = 0;
  return {
    onRunStart(run) {
      total = run.total;
    },
    onCaseEnd(result) {
      const outcome = outcomeOf(result, outDir);
      outcomes.set(result.id, outcome);
      if (outcome === 'interrupted') return;
      const shown = outcome === 'survived' ? 'SURVIVED' : outcome;
      say(`[${String(outcomes.size).padStart(String(total).length)}/${total}] ${shown.padEnd(14)} ${result.id}`);
    },
  };
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const outDir = resolve(given.out ?? `.runs/sabotage-${stamp()}`);
  const asked = askedFor(outDir, given);
  const host = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const { cells } = await expandChosen({ matrix: asked.matrix }, host);
  const chosen = chosenCells(selectCells(cells, asked.cells, {}));
  const { sabotages, missing } = await chooseSabotages(chosen, asked.kinds, host);
  say(`${chosen.length} cells, ${sabotages.length} sabotages, ${missing.length} cells cannot be run here; ${outDir}`);

  keepAsked(outDir, asked);
  const byId = new Map(sabotages.map((sabotage) => [sabotage.id, sabotage]));
  const damaged = damagedFiles(join(outDir, 'damaged'));
  const outcomes = new Map();
  const result = await interruptible((signal) =>
    runMatrix({
      ...host,
      lengthsFile: undefined,
      matrixName: 'sabotage',
      cells: sabotages.map(({ id, cell }) => ({ ...cell, id })),
      outDir,
      resume: existsSync(join(outDir, 'run.json')),
      jobs: given.jobs,
      accel: 'tcg',
      repeat: 1,
      reporter: progress(outDir, outcomes),
      intervene(plan, acted) {
        const { wrong, boot } = byId.get(plan.scenario.id);
        return interventionOf(wrong, plan, acted, { damaged, deadlines: deadlinesFor(wrong, boot) });
      },
      signal,
    }),
  );
  const report = reportOf({ result, sabotages, missing, outcomes, outDir });
  if (given.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else printReport(report);
  if (!report.ok) process.exitCode = 1;
}
