import { resolve } from 'node:path';
import { Option } from 'commander';
import { accels } from '../../model/axes.ts';
import { HarnessError } from '../../model/errors.ts';
import type { Reporter } from '../../model/reporter.ts';
import type { Scenario } from '../../model/scenario.ts';
import type { Compare } from '../../report/comparison.ts';
import { liveReporter } from '../../report/live-reporter.ts';
import { type Multiplexed, multiplex } from '../../report/multiplex.ts';
import { plainReporter } from '../../report/plain-reporter.ts';
import { fileReporter } from '../../report/report-files.ts';
import { type Invocation, troubleStatuses } from '../../report/run-facts.ts';
import { readResults } from '../../run/read-results.ts';
import { readRunRecord } from '../../run/run-directory.ts';
import { type RunOptions, runMatrix } from '../../run/run-matrix.ts';
import { runRecords } from '../../run/run-records.ts';
import { type Artefacts, openArtefacts } from '../artefacts.ts';
import {
  addCaseOptions,
  axisFiltersOf,
  type CaseOptions,
  expandChosen,
  selectCells,
  shardOf,
  warnOfVague,
} from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { exitCodeOfRun } from '../exit-code.ts';
import { type CliIo, consoleOutput, isDrawable, writeJson, writeLines } from '../io.ts';
import { parseCount } from '../parse-count.ts';
import { refuseReach } from '../trust.ts';
import { compareWithBaseline, exitCodeOfComparison, type FailOn, failOnOption } from './compare.ts';

const redrawMs = 250;
const dayMs = 86_400_000;

interface RunCommandOptions extends FailOn {
  out?: string;
  jobs?: number;
  accel: RunOptions['accel'];
  repeat: number;
  resume?: string;
  baseline?: string;
  failed?: string;
  reuse?: string;
  reuseMaxAge: number;
  json?: boolean;
  allowNotRun?: boolean;
}

interface ReporterOptions {
  /** Folders given with `--set`. */
  setDirs: readonly string[];
  /** Leaves standard output to the results. */
  quiet: boolean;
  /** The baseline to compare with, if any. */
  compare?: Compare | undefined;
}

function consoleReporter(io: CliIo, invocation: Invocation, { quiet, compare }: ReporterOptions): Reporter {
  const stream = quiet ? io.stderr : io.stdout;
  const output = consoleOutput(stream, io.env);
  if (quiet || !isDrawable(stream, io.env)) return plainReporter(output, invocation, compare);
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

export function runReporters(io: CliIo, options: ReporterOptions): Multiplexed {
  const invocation = { command: io.command, setDirs: options.setDirs };
  return multiplex({
    files: fileReporter({ invocation, env: io.env, recordsOf: runRecords, compare: options.compare }),
    console: consoleReporter(io, { ...invocation, cwd: process.cwd() }, options),
  });
}

/** A run is resumed with the choices it was started with. */
function refuseChoices(ids: readonly string[], options: CaseOptions & RunCommandOptions): void {
  const { matrix, shard, full, out } = options;
  const chosen = ids.length > 0 || Object.keys(axisFiltersOf(options)).length > 0;
  if (!chosen && matrix === undefined && shard === undefined && full === undefined && out === undefined) return;
  throw new HarnessError('usage', '--resume resumes a run as it was started, and takes no cases, filters or --out', {
    hint: 'Leave them out, or start a new run without --resume.',
  });
}

/** Those of the cells that were not as expected in a finished run. */
function failedCells(cells: readonly Scenario[], run: string): Scenario[] {
  const { cases } = readResults(run);
  const failed = new Set(
    cases.flatMap(({ scenario, verdict }) => (troubleStatuses.includes(verdict.status) ? [scenario.id] : [])),
  );
  const chosen = cells.filter(({ id }) => failed.has(id));
  if (chosen.length > 0) return chosen;
  const message =
    failed.size === 0
      ? `--failed ${run}: all of its cases were as expected`
      : `--failed ${run}: none of its ${failed.size} cases that were not as expected is among those chosen`;
  throw new HarnessError('usage', message, { hint: 'Choose another run, or give the matrix and filters of that one.' });
}

type Chosen = Pick<RunOptions, 'matrixName' | 'cells' | 'shard'>;

async function chooseCases(
  ids: readonly string[],
  options: CaseOptions & RunCommandOptions,
  artefacts: Artefacts,
): Promise<Chosen> {
  const { matrix, origin, cells: all } = await expandChosen(options, artefacts);
  const chosen = selectCells(all, ids, options);
  const cells = options.failed === undefined ? chosen : failedCells(chosen, options.failed);
  if (origin) refuseReach(cells, origin, options.trust ?? false);
  return { matrixName: matrix.name, cells, shard: shardOf(cells, all, ids, options) };
}

/** The cells of a run to resume; its record is untrusted. */
function begunCases(directory: string, trust = false): Chosen {
  const { matrix, cells } = readRunRecord(directory);
  refuseReach(cells, { source: directory, folder: resolve(directory) }, trust);
  return { matrixName: matrix, cells };
}

export const runCommand: AddCommand = (program, io, end) => {
  addCaseOptions(program.command('run'))
    .description('Run cases and report how far each got.')
    .argument('[ids...]', 'case ids or group names, * for any text; all cases if none is given')
    .option('--out <dir>', 'where the results go (default: .runs/<time>)')
    .option('--jobs <n>', 'this many guests at once, instead of as many as the host carries', parseCount)
    .addOption(
      new Option('--accel <name>', 'accelerator; auto: the fastest that passes a probe boot')
        .choices(['auto', ...accels])
        .default('auto'),
    )
    .option('--repeat <n>', 'run each case this many times', parseCount, 1)
    .option('--resume <dir>', 'resume a run that was interrupted; finished cases are kept')
    .option('--failed <run>', 'only cases that were not as expected in that run')
    .option('--baseline <run>', 'compare with that run; changes, not expectations, decide the exit code')
    .addOption(failOnOption())
    .option('--reuse <run>', 'reuse the records of that run for cases whose inputs are all unchanged')
    .option('--reuse-max-age <days>', 'with --reuse: only records of runs no older than this', parseCount, 30)
    .option('--allow-not-run', 'cases that this host cannot run do not fail the run')
    .option('--json', 'print results.json on standard output, and the progress on standard error')
    .addHelpText(
      'after',
      `
Examples:
  netboot run --arch aarch64 --nic e1000,virtio-net-pci
  netboot run 'bios-*' --jobs 2 --out results
  netboot run --matrix bug.json --repeat 5
  netboot run --set ./my-build              your own firmware and ROMs, described by ./my-build/set.json
  netboot run --shard 2/4 --json > part.json
  netboot run --resume results               resume a run that was interrupted
  netboot run --set ./my-build --baseline results-before
  netboot run --set ./my-build --reuse results-before   boots only what can have changed
  netboot run --failed results              again what was not as expected`,
    )
    .action(async (ids: string[], options: CaseOptions & RunCommandOptions) => {
      const { resume, json = false, jobs, accel, repeat, reuse, reuseMaxAge } = options;
      if (resume !== undefined) refuseChoices(ids, options);
      const artefacts = await openArtefacts(options.set ?? [], io);
      const chosen =
        resume === undefined ? await chooseCases(ids, options, artefacts) : begunCases(resume, options.trust);
      warnOfVague(chosen.cells, io);
      const compare = options.baseline === undefined ? undefined : compareWithBaseline(options.baseline);
      const { reporter, failures } = runReporters(io, { setDirs: artefacts.setDirs, quiet: json, compare });
      const result = await runMatrix({
        ...artefacts,
        ...chosen,
        outDir: resume === undefined ? options.out : resolve(resume),
        resume: resume !== undefined,
        jobs,
        accel,
        repeat,
        reuse: reuse === undefined ? undefined : { from: resolve(reuse), maxAgeMs: reuseMaxAge * dayMs },
        reporter,
        signal: io.signal,
      });
      if (json) writeJson(io.stdout, result);
      writeLines(io.stderr, failures);
      const code = exitCodeOfRun(
        result.cases.map(({ verdict }) => verdict),
        failures,
        options,
      );
      // An error or interruption keeps its exit code; otherwise the changes decide.
      const couldTell = code === 0 || (code === 1 && failures.length === 0);
      end(compare && couldTell ? exitCodeOfComparison(compare(result), options) : code);
    });
};
