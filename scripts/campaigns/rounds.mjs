// Runs of the same cells, one whole run after another, and whether every cell did the same in each.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onlyFiles } from '../../.build/harness/cli/reporters.js';
import { withoutPassing } from '../../.build/harness/compare/outcome.js';
import { runMatrix } from '../../.build/harness/run/run-matrix.js';
import { say } from '../setup/checkout.mjs';

/** Runs `cells` into a folder of `outDir`, resuming an existing round, and leaves its reports. Prints what did not pass. */
export async function runRound({ name, host, matrix, cells, outDir, jobs, templates, signal }) {
  say(`${name}: ${cells.length} cells`);
  const directory = join(outDir, name);
  const resumed = existsSync(join(directory, 'run.json'));
  const onCaseEnd = ({ id, verdict }) => void (verdict.status === 'passed' || say(`${verdict.status} ${id}`));
  const result = await runMatrix({
    ...host,
    matrixName: matrix.name,
    cells,
    outDir: directory,
    resume: resumed,
    jobs,
    accel: 'tcg',
    repeat: 1,
    templates,
    reporter: { ...onlyFiles({ command: 'npm run -s netboot --' }, { setDirs: [] }), onCaseEnd },
    signal,
  });
  return { ...result, resumed };
}

/** Everything of a verdict but times and other figures. */
export const didIn = ({ verdict: { status, stages, stoppedAt, failure, observedConfiguration } }) =>
  [
    status,
    `after ${
      stages
        .filter(({ reached }) => reached)
        .map(({ stage }) => stage)
        .join(', ') || 'nothing'
    }`,
    ...(observedConfiguration === null ? [] : [`as configuration ${observedConfiguration}`]),
    ...(stoppedAt === null ? [] : [`stopped at ${stoppedAt}`]),
    ...(failure === null ? [] : [`by ${failure.rule} (${withoutPassing(failure.text).replaceAll(/\d+/g, '#')})`]),
  ].join(' ');

/** Why a run shows nothing, however well it agrees with others: cells that could not tell, or none that booted. */
export function untestedIn({ cases }) {
  const errors = cases.filter(({ verdict }) => verdict.status === 'error');
  const passed = cases.some(({ verdict }) => verdict.status === 'passed');
  return [
    ...errors.map(({ id, verdict }) => `${id}: error: ${verdict.diagnosis}`),
    ...(passed ? [] : [`none of ${cases.length} cells passed`]),
  ];
}

const notRunIn = ({ cases }) => cases.filter(({ verdict }) => verdict.status === 'not-run').length;

/** Cells that did not do the same in all rounds, with what they did in each. */
function differing(rounds) {
  const [first] = rounds;
  return first.cases
    .map(({ id }) => ({ id, did: rounds.map(({ cases }) => didIn(cases.find((one) => one.id === id))) }))
    .filter(({ did }) => new Set(did).size > 1);
}

/** Prints each difference, a summary line and `more` lines; exit code 1 if there are differences, or a round shows nothing. */
export function reportRounds(rounds, { outDir, json, facts = {}, more = [] }) {
  const differences = differing(rounds);
  const untested = rounds.flatMap((round, at) => untestedIn(round).map((why) => `round ${at + 1}: ${why}`));
  const notRun = notRunIn(rounds[0]);
  const resumed = rounds.filter((round) => round.resumed).length;
  const cells = rounds[0].cases.length;
  const wallMs = rounds.map((round) => round.wallMs);
  if (json) {
    const counts = { rounds: rounds.length, resumed, cells, notRun };
    const report = { ...counts, ...facts, wallMs, differences, untested, directory: outDir };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    for (const { id, did } of differences) process.stdout.write(`${id}: ${did.join(' | ')}\n`);
    for (const why of untested) process.stdout.write(`${why}\n`);
    const times = wallMs.map((ms) => `${Math.round(ms / 1000)} s`).join(', ');
    process.stdout.write(
      `${cells} cells, of which ${notRun} could not run here, in ${rounds.length} rounds (${times}; ${resumed} resumed): ${differences.length} differ; ${outDir}\n`,
    );
    for (const line of more) process.stdout.write(`${line}\n`);
  }
  if (differences.length + untested.length > 0) process.exitCode = 1;
}
