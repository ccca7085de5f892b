import { resolve } from 'node:path';
import { recordedLengths } from '../../../scenarios/recorded-lengths.ts';
import { type RunOptions, runMatrix } from '../../run/run-matrix.ts';
import { defaultTemplatesMiB } from '../../run/templates/template-store.ts';
import { type Artefacts, openArtefacts } from '../artefacts.ts';
import { accelOption, addCaseOptions, type CaseOptions, warnOfVague } from '../case-options.ts';
import { begunCases, chooseCases, type EarlierRuns, refuseChoices } from '../choose-cases.ts';
import type { AddCommand } from '../command.ts';
import { compareSets, compareWithBaseline, exitCodeOfComparisons, type FailOn, failOnOption } from '../comparisons.ts';
import { exitCodeOfRun } from '../exit-code.ts';
import { addFarmRunOptions, type FarmRunOptions, refuseFarmChoices } from '../farm-options.ts';
import { type CliIo, writeJson, writeLines } from '../io.ts';
import { parseCount } from '../parse-count.ts';
import { type ReporterOptions, reporterOption, runReporters } from '../reporters.ts';

const dayMs = 86_400_000;

interface RunCommandOptions extends FailOn, EarlierRuns, FarmRunOptions {
  out?: string;
  jobs?: number;
  accel: RunOptions['accel'];
  repeat: number;
  resume?: string;
  reuseMaxAge: number;
  json?: boolean;
  reporter?: ReporterOptions['reporter'];
  allowNotRun?: boolean;
  cold?: boolean;
  keepTemplates?: number | true;
}

/** Kept or not, templates share the same bound. */
function templatesFrom({ cold, keepTemplates }: RunCommandOptions): RunOptions['templates'] {
  if (cold) return undefined;
  const mebibytes = typeof keepTemplates === 'number' ? keepTemplates : defaultTemplatesMiB;
  return { keep: keepTemplates !== undefined, limitBytes: mebibytes * (1 << 20) };
}

/** Loaded only where a run has a farm. */
async function openFarmOf(options: RunCommandOptions, to: { io: CliIo; matrix: string; artefacts: Artefacts }) {
  const { farm, accel } = options;
  if (farm === undefined) return null;
  const { openFarmRun } = await import('../farm-run.ts');
  return openFarmRun({ ...options, farm, accel }, to);
}

export const runCommand: AddCommand = (program, io, end) => {
  addFarmRunOptions(addCaseOptions(program.command('run')))
    .description('Run cases and report how far each got.')
    .option('--out <dir>', 'where the results go (default: .runs/<time>)')
    .option('--jobs <n>', 'guests at once (default: as many as the host can carry)', parseCount)
    .addOption(accelOption().default('auto'))
    .option('--repeat <n>', 'run each case this many times', parseCount, 1)
    .option('--resume <dir>', 'resume a run that was interrupted; finished cases are kept')
    .option('--failed <run>', 'only cases that were not as expected in that run')
    .option('--baseline <run>', 'compare with that run; changes, not expectations, decide the exit code')
    .addOption(failOnOption())
    .option('--reuse <run>', 'reuse the records of that run for cases whose inputs are all unchanged')
    .option('--reuse-max-age <days>', 'with --reuse: only records of runs no older than this', parseCount, 30)
    .option('--allow-not-run', 'cases that this host cannot run do not fail the run')
    .option('--cold', 'start every guest from power-on, never from a template')
    .option(
      '--keep-templates [MiB]',
      `keep templates for later runs, within this much disk space (default: ${defaultTemplatesMiB})`,
      parseCount,
    )
    .addOption(reporterOption())
    .option('--json', 'print results.json on standard output, and the progress on standard error')
    .addHelpText(
      'after',
      `
Examples:
  netboot run --arch aarch64 --nic e1000,virtio-net-pci
  netboot run 'bios-*' --jobs 2 --out results
  netboot run --matrix bug.json --repeat 5
  netboot run --set ./my-build                your own firmware and ROMs
  netboot run --smoke                       about twenty cases, one of each kind
  netboot run --shard 2/4 --json > part.json
  netboot run --resume results                resume a run that was interrupted
  netboot run --set ./my-build --baseline results-before
  netboot run --set ./old-build --set ./new-build   on each, and what differs between them
  netboot run --set ./my-build --reuse results-before   boots only what may have changed
  netboot run --reporter tap > results.ktap  KTAP, for kselftest and LAVA
  netboot run --reporter plain --reporter gitlab --out results   gl-code-quality-report.json too
  netboot run --farm redis://HOST --farm-key key   on the workers of a farm
  netboot run --failed results                the cases that were not as expected, again`,
    )
    .action(async (ids: string[], options: CaseOptions & RunCommandOptions) => {
      const { resume, json = false, jobs, accel, repeat, reuse, reuseMaxAge } = options;
      if (resume !== undefined) refuseChoices(ids, options);
      refuseFarmChoices(options);
      const artefacts = await openArtefacts(options.set ?? [], io);
      const chosen =
        resume === undefined ? await chooseCases(ids, options, artefacts) : begunCases(resume, options.trust);
      warnOfVague(chosen.cells, io);
      const compare =
        options.baseline === undefined ? compareSets(chosen.chosenSets) : compareWithBaseline(options.baseline);
      const { reporter, failures } = runReporters(io, {
        setDirs: artefacts.setDirs,
        quiet: json,
        compare,
        reporter: options.reporter,
        matrix: options.matrix,
      });
      await using farm = await openFarmOf(options, { io, matrix: chosen.matrixName, artefacts });
      const result = await runMatrix({
        ...artefacts,
        ...chosen,
        outDir: resume === undefined ? options.out : resolve(resume),
        resume: resume !== undefined,
        jobs,
        accel,
        repeat,
        recordedLengths,
        reuse: reuse === undefined ? undefined : { from: resolve(reuse), maxAgeMs: reuseMaxAge * dayMs },
        templates: templatesFrom(options),
        elsewhere: farm?.elsewhere,
        reporter,
        signal: io.signal,
      });
      if (json) writeJson(io.stdout, result);
      writeLines(io.stderr, failures);
      const code = exitCodeOfRun(result, failures, options);
      // An error or interruption keeps its exit code; otherwise the changes decide.
      const couldTell = code === 0 || (code === 1 && failures.length === 0);
      end(compare.decides && couldTell ? exitCodeOfComparisons(compare.of(result), options) : code);
    });
};
