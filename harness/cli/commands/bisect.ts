import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { execa } from 'execa';
import { type Change, comparePairs, failingClasses } from '../../compare/compare.ts';
import { type BuildState, findFirstBad } from '../../compare/first-bad.ts';
import { joinRuns } from '../../compare/join.ts';
import { outcomeOf, outcomeText } from '../../compare/outcome.ts';
import { HarnessError, systemErrorText } from '../../model/errors.ts';
import { globMatches } from '../../model/glob.ts';
import type { RunResult } from '../../model/verdict.ts';
import { fileReporter } from '../../report/report-files.ts';
import { folderByTime } from '../../run/claim-directory.ts';
import { readResults } from '../../run/read-results.ts';
import { type RunOptions, runMatrix } from '../../run/run-matrix.ts';
import { runRecords } from '../../run/run-records.ts';
import { openArtefacts } from '../artefacts.ts';
import { accelOption, addMatrixOptions, type CaseOptions, expandChosen, selectCells } from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { type CliIo, writeJson, writeLines } from '../io.ts';

interface BisectOptions {
  accel: RunOptions['accel'];
  out?: string;
  json?: boolean;
}

/** A flaky cell is booted this many times more before it counts as varying. */
const repeats = 3;

const buildOptions = (command: Command): Command =>
  addMatrixOptions(command)
    .argument('<ids...>', 'case ids or group names, * for any text')
    .option('--out <dir>', 'where the records go (default: .runs/<time>)')
    .addOption(accelOption().default('auto'));

/** Boots the cells on one build; those that were flaky are booted again. */
async function bootBuild(
  ids: readonly string[],
  sets: readonly string[],
  options: CaseOptions & BisectOptions,
  io: CliIo,
): Promise<RunResult> {
  const artefacts = await openArtefacts(sets, io);
  const { matrix, cells } = await expandChosen(options, artefacts);
  const chosen = selectCells(cells, ids, options);
  const invocation = { command: io.command, setDirs: artefacts.setDirs };
  const records = () => fileReporter({ invocation, env: {}, recordsOf: runRecords });
  const common = { ...artefacts, matrixName: matrix.name, accel: options.accel, signal: io.signal };
  const once = await runMatrix({
    ...common,
    reporter: records(),
    cells: chosen,
    outDir: options.out,
    repeat: 1,
  });
  const varied = chosen.filter(({ id }) => once.cases.some((one) => one.id === id && one.verdict.status === 'flaky'));
  if (varied.length === 0 || io.signal.aborted) return once;
  const again = await runMatrix({ ...common, reporter: records(), cells: varied, repeat: repeats });
  const settled = once.cases.filter(({ scenario }) => !varied.some(({ id }) => id === scenario.id));
  return { ...once, cases: [...settled, ...again.cases] };
}

interface Judged {
  state: BuildState;
  /** One line for each cell that is not good. */
  why: string[];
}

/** Good: as expected, all of them. Unknown: some could not tell, and none is bad. */
function judgeByExpectation({ cases }: RunResult): Judged {
  const odd = cases.filter(({ verdict }) => verdict.status !== 'passed');
  const isBad = cases.some(({ verdict }) => verdict.status === 'failed');
  return {
    state: isBad ? 'bad' : odd.length > 0 ? 'unknown' : 'good',
    why: odd.map(
      ({ id, verdict }) => `${id}: ${verdict.status}${verdict.diagnosis === null ? '' : `: ${verdict.diagnosis}`}`,
    ),
  };
}

const changeLine = ({ id, before, after }: Change): string =>
  `${id}: ${before ? outcomeText(before) : 'not there'} → ${after ? outcomeText(after) : 'not there'}`;

/** Good: does what the same cells did then, or more. Sets do not count: they are what is compared. */
function judgeAgainst(before: RunResult, after: RunResult): Judged {
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
    why: [...bad.map(changeLine), ...unknown],
  };
}

/** git bisect run: 0 good, 1 bad, 125 skip this commit, 128 and above stop. */
const stepCodes: Record<BuildState, 0 | 1 | 125> = { good: 0, bad: 1, unknown: 125 };
const stopCode = 128;

interface StepOptions extends BisectOptions {
  build?: string;
  baseline?: string;
}

async function step(ids: readonly string[], options: CaseOptions & StepOptions, io: CliIo): Promise<Judged> {
  const baseline = options.baseline === undefined ? undefined : readResults(options.baseline);
  if (options.build !== undefined) {
    const built = await execa(options.build, {
      shell: true,
      reject: false,
      stdin: 'ignore',
      stdout: 'ignore',
      cancelSignal: io.signal,
    });
    if (built.failed)
      return { state: 'unknown', why: [`the build failed: ${built.shortMessage}`, built.stderr.slice(-2000)] };
  }
  const result = await bootBuild(ids, options.set ?? [], options, io);
  if (baseline === undefined) return judgeByExpectation(result);
  if (joinRuns(baseline, result, ['set']).every(({ before, after }) => before.length === 0 || after.length === 0)) {
    throw new HarnessError('usage', `--baseline ${options.baseline}: none of the chosen cases is in that run`, {
      hint: 'Name a run of the same matrix.',
    });
  }
  return judgeAgainst(baseline, result);
}

export const bisectStepCommand: AddCommand = (program, io, end) => {
  buildOptions(program.command('bisect-step'))
    .description('Test one build for `git bisect run`: exit code 0 good, 1 bad, 125 cannot tell.')
    .option('--build <command>', 'shell command that builds it first; if it fails the commit is skipped')
    .option('--baseline <run>', 'good means as in that run, instead of as expected')
    .addHelpText(
      'after',
      `
128 and above stop the bisection: a usage or setup error.

Example, in a tree of iPXE:
  git bisect run netboot bisect-step --build 'make -C src -j4 bin-arm64-efi/8086100e.efirom' \\
    --set src/bin-arm64-efi 'arm-full-rom*.e1000.*'`,
    )
    .action(async (ids: string[], options: CaseOptions & StepOptions) => {
      const judged = await step(ids, options, io);
      if (io.signal.aborted) return end(stopCode);
      if (options.json) writeJson(io.stdout, judged);
      else writeLines(io.stdout, [judged.state, ...judged.why.map((line) => `  ${line}`)]);
      end(stepCodes[judged.state]);
    });
};

/** Folders that a pattern such as `builds/*` names, in the order of the numbers in their names. */
function foldersOf(pattern: string): string[] {
  const parent = dirname(pattern);
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch (cause) {
    throw new HarnessError('usage', `--sets ${pattern}: ${parent} cannot be read: ${systemErrorText(cause as Error)}`, {
      hint: 'Name the folders of the builds, such as --sets "builds/*".',
      cause,
    });
  }
  return names
    .filter((name) => globMatches(basename(pattern), name))
    .map((name) => join(parent, name))
    .filter((path) => statSync(path).isDirectory())
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

interface Bisected {
  builds: string[];
  /** In the order in which they were booted. */
  booted: { build: string; state: BuildState; why: string[] }[];
  good?: string;
  bad?: string;
  skipped: string[];
  /** Both ends did the same when booted once more. */
  verified?: boolean;
  conclusion: string;
}

async function bisect(
  ids: readonly string[],
  pattern: string,
  options: CaseOptions & BisectOptions,
  io: CliIo,
): Promise<Bisected> {
  const builds = foldersOf(pattern);
  const [oldest, newest] = [builds[0], builds.at(-1)];
  if (oldest === undefined || newest === undefined || builds.length < 2) {
    throw new HarnessError('usage', `--sets ${pattern}: expected two folders or more, saw ${builds.length}`, {
      hint: 'Name the folders of the builds, oldest first by name, such as --sets "builds/*".',
    });
  }
  const booted: Bisected['booted'] = [];
  const root = resolve(options.out ?? folderByTime());
  const boot = (build: string) =>
    bootBuild(
      ids,
      [`./${build}`.replace('.//', '/')],
      { ...options, out: join(root, String(booted.length + 1).padStart(3, '0')) },
      io,
    );
  const first = await boot(oldest);
  const record = (build: string, judged: Judged): BuildState => {
    booted.push({ build, ...judged });
    writeLines(io.stderr, [`${build}: ${judged.state}`, ...judged.why.map((line) => `  ${line}`)]);
    if (io.signal.aborted) throw new HarnessError('interrupted', 'interrupted');
    return judged.state;
  };
  const stateOf = async (build: string): Promise<BuildState> => record(build, judgeAgainst(first, await boot(build)));
  const common = { builds, booted, skipped: [] };

  if (record(oldest, judgeAgainst(first, first)) !== 'good')
    return { ...common, conclusion: `${oldest} is no usable reference` };
  const state = await stateOf(newest);
  if (state !== 'bad') return { ...common, conclusion: `${newest} does what ${oldest} does: nothing to bisect` };
  const found = await findFirstBad(builds, stateOf);
  const verified = (await stateOf(found.good)) === 'good' && (await stateOf(found.bad)) === 'bad';
  const between =
    found.skipped.length > 0 ? `, or one of the ${found.skipped.length} between, which could not tell` : '';
  return {
    ...common,
    ...found,
    verified,
    conclusion: verified
      ? `the first bad build is ${found.bad}${between}; ${found.good} is still good`
      : `${found.good} and ${found.bad} did not do the same when booted again: the difference is intermittent`,
  };
}

export const bisectCommand: AddCommand = (program, io, end) => {
  buildOptions(program.command('bisect'))
    .description('Find the first build that does worse than the oldest one, booting about log2 of them.')
    .requiredOption('--sets <glob>', 'folders of builds, in the order of the numbers in their names')
    .option('--json', 'as JSON')
    .addHelpText('after', "\nExample:\n  netboot bisect --sets 'builds/*' 'arm-full-rom*.e1000.*'")
    .action(async (ids: string[], options: CaseOptions & BisectOptions & { sets: string }) => {
      const found = await bisect(ids, options.sets, options, io);
      if (options.json) writeJson(io.stdout, found);
      else writeLines(io.stdout, [found.conclusion]);
      end(found.verified ? 1 : found.bad === undefined ? 0 : 3);
    });
};
