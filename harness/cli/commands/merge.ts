import { closingLines } from '../../report/console-output.ts';
import { writeReports } from '../../report/report-files.ts';
import { mergeDirectories } from '../../run/merge-directories.ts';
import { runRecords } from '../../run/run-records.ts';
import type { AddCommand } from '../command.ts';
import { exitCodeOfCases } from '../exit-code.ts';
import { consoleOutput, writeLines } from '../io.ts';

export const mergeCommand: AddCommand = (program, io, end) => {
  program
    .command('merge')
    .description(
      'Make one run of shards, and of runs that completed what others could not: records, results and reports.',
    )
    .argument('<dirs...>', 'directories that `netboot run --out` wrote, or folders of them')
    .requiredOption('--out <dir>', 'where the merged run goes; a new folder, written whole or not at all')
    .option('--allow-not-run', 'cases that could not be run do not make the exit code 3')
    .addHelpText(
      'after',
      `
The exit code is that of the unsharded run; a missing shard makes it 3. A case that is in two of the runs is refused,
unless only one of them came to a verdict.

Examples:
  netboot run --shard 1/2 --out shards/1; netboot run --shard 2/2 --out shards/2
  netboot merge shards --out results
  netboot merge results-with-errors rerun --out results`,
    )
    .action(async (paths: string[], { out, allowNotRun }: { out: string; allowNotRun?: boolean }) => {
      const { result, outDir, missing } = await mergeDirectories({
        paths,
        out,
        writeReports: (merged, { into, outDir: to }) =>
          writeReports(merged, {
            place: { command: io.command, setDirs: [], outDir: to },
            records: runRecords(into),
            into,
          }),
      });
      const place = { command: io.command, setDirs: [], cwd: process.cwd(), outDir };
      writeLines(io.stdout, closingLines(result, place, consoleOutput(io.stdout, io.env).colour));
      const code = exitCodeOfCases(
        result.cases.map(({ verdict }) => verdict),
        { allowNotRun: allowNotRun ?? false },
      );
      end(missing.length > 0 && code === 0 ? 3 : code);
    });
};
