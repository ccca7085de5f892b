import type { Command } from 'commander';
import { comparePairs, failingClasses } from '../compare/compare.ts';
import type { BuildState } from '../compare/first-bad.ts';
import { joinRuns } from '../compare/join.ts';
import { outcomeOf, outcomeText } from '../compare/outcome.ts';
import type { RunResult } from '../model/verdict.ts';
import { changeText } from '../report/comparison.ts';
import { type RunOptions, runMatrix } from '../run/run-matrix.ts';
import { openArtefacts } from './artefacts.ts';
import { accelOption, addMatrixOptions, type CaseOptions, expandChosen, selectCells } from './case-options.ts';
import type { CliIo } from './io.ts';
import { onlyFiles } from './reporters.ts';

/** What the bisecting commands have in common. */
export type BuildOptions = CaseOptions & {
  accel: RunOptions['accel'];
  out?: string;
};

export const addBuildOptions = (command: Command): Command =>
  addMatrixOptions(command)
    .argument('<ids...>', 'case ids or group names, * for any text')
    .option('--out <dir>', 'where the records go (default: .runs/<time>)')
    .addOption(accelOption().default('auto'));

/** A flaky cell is booted this many times more before it counts as varying. */
const repeats = 3;

/** Boots the cells on one build, `options.set`; those that were flaky are booted again. */
export async function bootBuild(ids: readonly string[], options: BuildOptions, io: CliIo): Promise<RunResult> {
  const artefacts = await openArtefacts(options.set ?? [], io);
  const { matrix, cells } = await expandChosen(options, artefacts);
  const chosen = selectCells(cells, ids, options);
  const common = { ...artefacts, matrixName: matrix.name, accel: options.accel, signal: io.signal };
  const once = await runMatrix({
    ...common,
    reporter: onlyFiles(io, artefacts),
    cells: chosen,
    outDir: options.out,
    repeat: 1,
  });
  const varied = chosen.filter(({ id }) => once.cases.some((one) => one.id === id && one.verdict.status === 'flaky'));
  if (varied.length === 0 || io.signal.aborted) return once;
  const again = await runMatrix({ ...common, reporter: onlyFiles(io, artefacts), cells: varied, repeat: repeats });
  const settled = once.cases.filter(({ scenario }) => !varied.some(({ id }) => id === scenario.id));
  return { ...once, cases: [...settled, ...again.cases] };
}

export interface JudgedBuild {
  state: BuildState;
  /** One line for each cell that is not good. */
  why: string[];
}

export const judgedLines = ({ state, why }: JudgedBuild): string[] => [state, ...why.map((line) => `  ${line}`)];

/** Good: as expected, all of them. Unknown: some could not tell, and none is bad. */
export function judgeByExpectation({ cases }: RunResult): JudgedBuild {
  const odd = cases.filter(({ verdict }) => verdict.status !== 'passed');
  const isBad = cases.some(({ verdict }) => verdict.status === 'failed');
  return {
    state: isBad ? 'bad' : odd.length > 0 ? 'unknown' : 'good',
    why: odd.map(
      ({ id, verdict }) => `${id}: ${verdict.status}${verdict.diagnosis === null ? '' : `: ${verdict.diagnosis}`}`,
    ),
  };
}

/** Good: does what the same cells did then, or more. Sets do not count: they are what is compared. */
export function judgeAgainst(before: RunResult, after: RunResult): JudgedBuild {
  const pairs = joinRuns(before, after, ['set']).filter((pair) => pair.after.length > 0);
  const { changes } = comparePairs(pairs);
  const bad = changes.filter(({ class: name }) => failingClasses.includes(name));
  const unknown = pairs.flatMap(({ before: old, after: now }) => {
    const id = now[0]?.scenario.id ?? '';
    if (old.length === 0) return [`${id}: not in the baseline`];
    const outcome = outcomeOf(now);
    return ['unknown', 'varies'].includes(outcome.kind) ? [`${id}: ${outcomeText(outcome)}`] : [];
  });
  return {
    state: bad.length > 0 ? 'bad' : unknown.length > 0 ? 'unknown' : 'good',
    why: [...bad.map((change) => `${change.id}: ${changeText(change)}`), ...unknown],
  };
}
