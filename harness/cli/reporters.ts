import { join, relative, resolve } from 'node:path';
import { Option } from 'commander';
import { groupLocator } from '../matrix/locate-group.ts';
import { HarnessError } from '../model/errors.ts';
import type { Reporter } from '../model/reporter.ts';
import { readBoundedText } from '../os/bounded-file.ts';
import { packageRoot } from '../os/package-root.ts';
import { writeWhole } from '../os/write-whole.ts';
import { closingReporter } from '../report/closing-reporter.ts';
import { codeQualityJson } from '../report/code-quality.ts';
import type { Compare } from '../report/comparison.ts';
import { githubReporter, type SourcePlace } from '../report/github-reporter.ts';
import { ktapReporter } from '../report/ktap-reporter.ts';
import { liveReporter } from '../report/live-reporter.ts';
import { type Multiplexed, multiplex } from '../report/multiplex.ts';
import { plainReporter } from '../report/plain-reporter.ts';
import { fileReporter } from '../report/report-files.ts';
import { caseFiles } from '../run/records/case-directory.ts';
import { pathInside } from '../run/records/inside.ts';
import { runRecords } from '../run/records/run-records.ts';
import { type CliIo, consoleOutput, isDrawable } from './io.ts';

const redrawMs = 250;
const consoleMaxBytes = 32 << 20;

/** Of progress, one at most; then those that write something in addition. */
const progressReporters = ['live', 'plain', 'github'] as const;
const reporterNames = [...progressReporters, 'tap', 'gitlab'] as const;
type ReporterName = (typeof reporterNames)[number];
type ProgressReporter = (typeof progressReporters)[number];

export const reporterOption = (defaults = 'github in GitHub Actions, live on a terminal, otherwise plain'): Option =>
  new Option(
    '--reporter <name>',
    `progress as live, plain or github (default: ${defaults}); ` +
      'tap: KTAP on standard output; gitlab: a code quality report among the others; may be repeated',
  ).argParser((name: string, earlier: ReporterName[] = []) => {
    if ((reporterNames as readonly string[]).includes(name)) return [...earlier, name as ReporterName];
    throw new HarnessError('usage', `--reporter: expected one of ${reporterNames.join(', ')}, saw "${name}"`, {
      hint: 'report.html, junit.xml, summary.md and results.json are always written.',
    });
  });

export interface ReporterOptions {
  /** Folders given with `--set`. */
  setDirs: readonly string[];
  /** Leaves standard output to something else. */
  quiet: boolean;
  compare?: Compare | undefined;
  reporter?: readonly ReporterName[] | undefined;
  /** The matrix file; undefined: the default matrix. */
  matrix?: string | undefined;
}

/** From the root of the repository, as CI systems count it; undefined outside it. */
function placeIn(root: string, locate: ReturnType<typeof groupLocator>) {
  return (group: string): SourcePlace | undefined => {
    const place = locate(group);
    const file = place && relative(root, resolve(place.file));
    return place && file && !file.startsWith('..') ? { file, line: place.line } : undefined;
  };
}

function readConsole(outDir: string, directory: string): string | undefined {
  try {
    return readBoundedText(pathInside(outDir, join(directory, caseFiles.console)), consoleMaxBytes);
  } catch {
    // A case that never began has none.
    return undefined;
  }
}

function chooseProgress(io: CliIo, { quiet, reporter = [] }: ReporterOptions): ProgressReporter | undefined {
  const [chosen, ...others] = progressReporters.filter((name) => reporter.includes(name));
  if (others.length > 0) {
    throw new HarnessError('usage', `--reporter: ${chosen} and ${others.join(' and ')} would write to one place`, {
      hint: 'Choose one of them.',
    });
  }
  if (chosen !== undefined) return chosen;
  if (reporter.includes('tap')) return undefined;
  const { GITHUB_ACTIONS: isGithub } = io.env;
  if (isGithub === 'true') return 'github';
  return quiet || !isDrawable(io.stdout, io.env) ? 'plain' : 'live';
}

type Locate = ReturnType<typeof placeIn>;

function progressReporter(name: ProgressReporter, io: CliIo, options: ReporterOptions, locate: Locate): Reporter {
  const { quiet, reporter, compare, setDirs } = options;
  const stream = quiet || reporter?.includes('tap') ? io.stderr : io.stdout;
  const output = consoleOutput(stream, io.env);
  const invocation = { command: io.command, setDirs, cwd: process.cwd() };
  if (name === 'plain') return plainReporter(output, invocation, compare);
  if (name === 'github') return githubReporter({ output, invocation, compare, locate, consoleOf: readConsole });
  return liveReporter({
    output,
    invocation,
    compare,
    now: () => performance.now(),
    every(draw) {
      const timer = setInterval(draw, redrawMs).unref();
      return () => clearInterval(timer);
    },
  });
}

/** gl-code-quality-report.json in the run's directory. */
function gitlabReporter(locate: Locate, fallback: string): Reporter {
  let outDir = '';
  return {
    onRunStart(run) {
      ({ outDir } = run);
    },
    async onRunEnd(result) {
      const text = codeQualityJson(result, (group) => locate(group) ?? { file: fallback, line: 1 });
      await writeWhole(join(outDir, 'gl-code-quality-report.json'), text);
    },
  };
}

/** Those that were asked for in addition to the progress and the files that every run has. */
function furtherReporters(
  io: CliIo,
  { reporter = [], matrix }: Pick<ReporterOptions, 'reporter' | 'matrix'>,
  locate: Locate,
) {
  return {
    ...(reporter.includes('tap') && { tap: ktapReporter(consoleOutput(io.stdout, io.env)) }),
    ...(reporter.includes('gitlab') && { gitlab: gitlabReporter(locate, matrix ?? 'scenarios/default.ts') }),
  };
}

function locatorOf({ GITHUB_WORKSPACE, CI_PROJECT_DIR }: CliIo['env'], matrix: string | undefined): Locate {
  const root = GITHUB_WORKSPACE ?? CI_PROJECT_DIR ?? process.cwd();
  return placeIn(root, groupLocator(matrix ?? join(packageRoot(), 'scenarios')));
}

/** The reporters of a finished run, which has its files: its closing lines, or what was asked for. */
export function finishedReporters(io: CliIo, options: Omit<ReporterOptions, 'quiet'>): Multiplexed {
  const { reporter = [], matrix, compare, setDirs } = options;
  const locate = locatorOf(io.env, matrix);
  const named = progressReporters.some((name) => reporter.includes(name));
  const progress = named ? chooseProgress(io, { ...options, quiet: false }) : undefined;
  const output = consoleOutput(reporter.includes('tap') ? io.stderr : io.stdout, io.env);
  return multiplex({
    ...furtherReporters(io, options, locate),
    progress:
      progress === undefined
        ? closingReporter(output, { command: io.command, setDirs, cwd: process.cwd() }, compare)
        : progressReporter(progress, io, { ...options, quiet: false }, locate),
  });
}

/** For commands that say themselves what came of a run: only the files of its directory. */
export const onlyFiles = (
  { command }: Pick<CliIo, 'command'>,
  { setDirs }: Pick<ReporterOptions, 'setDirs'>,
): Reporter => fileReporter({ invocation: { command, setDirs }, env: {}, recordsOf: runRecords });

/** The reporters of a run: the files of its directory, and what was asked for. */
export function runReporters(io: CliIo, options: ReporterOptions): Multiplexed {
  const { setDirs, compare, quiet, reporter = [], matrix } = options;
  if (quiet && reporter.includes('tap')) {
    throw new HarnessError('usage', '--reporter tap and --json would both write to standard output', {
      hint: 'results.json in the directory of the run has the same as --json.',
    });
  }
  const locate = locatorOf(io.env, matrix);
  const progress = chooseProgress(io, options);
  return multiplex({
    files: fileReporter({
      invocation: { command: io.command, setDirs },
      env: io.env,
      recordsOf: runRecords,
      compare,
    }),
    ...(progress && { [progress]: progressReporter(progress, io, options, locate) }),
    ...furtherReporters(io, options, locate),
  });
}
