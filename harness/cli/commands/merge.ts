import { replayRun } from '../../model/reporter.ts';
import { appendStepSummary, writeReports } from '../../report/report-files.ts';
import { summaryMarkdown } from '../../report/summary.ts';
import { mergeDirectories } from '../../run/records/merge-directories.ts';
import { runRecords } from '../../run/records/run-records.ts';
import type { AddCommand } from '../command.ts';
import { compareSets } from '../comparisons.ts';
import { exitCodeOfRun } from '../exit-code.ts';
import { writeLines } from '../io.ts';
import { finishedReporters, type ReporterOptions, reporterOption } from '../reporters.ts';

interface MergeOptions extends Pick<ReporterOptions, 'reporter' | 'matrix'> {
  out: string;
  allowNotRun?: boolean;
}

export const mergeCommand: AddCommand = (program, io, end) => {
  program
    .command('merge')
    .description(
      'Make one run of shards, and of runs that completed what others could not: records, results and reports.',
    )
    .argument('<dirs...>', 'directories that `netboot run --out` wrote, or folders of them')
    .requiredOption('--out <dir>', 'where the merged run goes; a new folder, written whole or not at all')
    .option('--allow-not-run', 'cases that could not be run do not make the exit code 3')
    .addOption(reporterOption('only the closing lines'))
    .option('--matrix <file>', 'the matrix file that was run, for the lines in it that reporters name')
    .addHelpText(
      'after',
      `
The exit code is that of the unsharded run; a missing shard makes it 3. A case that is in two of the runs is refused,
unless only one of them came to a verdict.

Examples:
  netboot run --shard 1/2 --out shards/1; netboot run --shard 2/2 --out shards/2
  netboot merge shards --out results
  netboot merge shards --out results --reporter gitlab   gl-code-quality-report.json too
  netboot merge results-with-errors rerun --out results`,
    )
    .action(async (paths: string[], { out, allowNotRun = false, reporter: names, matrix }: MergeOptions) => {
      const setDirs: string[] = [];
      const placeOf = (outDir: string) => ({ command: io.command, setDirs, outDir });
      const { result, record, outDir, missing } = await mergeDirectories({
        paths,
        out,
        writeReports: (merged, into) =>
          writeReports(merged.result, {
            place: placeOf(merged.outDir),
            records: runRecords(into),
            into,
            comparisons: compareSets(merged.record.sets).of(merged.result),
          }),
      });
      const compare = compareSets(record.sets);
      const { reporter, failures } = finishedReporters(io, { setDirs, compare, reporter: names, matrix });
      await replayRun(result, outDir, reporter);
      await appendStepSummary(() => summaryMarkdown(result, placeOf(outDir), compare.of(result)), io.env);
      writeLines(io.stderr, failures);
      const code = exitCodeOfRun(result, failures, { allowNotRun });
      end(missing.length > 0 && code === 0 ? 3 : code);
    });
};
