import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import type { RunResult } from '../../model/verdict.ts';
import { writeReports } from '../../report/report-files.ts';
import { readResults } from '../../run/read-results.ts';
import { runRecords } from '../../run/run-records.ts';
import type { AddCommand } from '../command.ts';
import { writeLines } from '../io.ts';
import { compareWithBaseline } from './compare.ts';

/** The result of the run in a directory; shards have directories of their own. */
function readRun(directory: string): RunResult {
  const hasShards = !existsSync(join(directory, 'results.json')) && !existsSync(join(directory, 'run.json'));
  const result = readResults(directory);
  if (!hasShards) return result;
  throw new HarnessError('usage', `${directory}: expected the directory of one run, saw a folder of runs`, {
    hint: `Name each: netboot report ${directory}/*`,
  });
}

export const reportCommand: AddCommand = (program, io) => {
  program
    .command('report')
    .description('Make the reports of finished runs again, from their records.')
    .argument('<dirs...>', 'directories that `netboot run --out` wrote')
    .option('--baseline <old>', 'an earlier run: report.html begins with what changed since')
    .addHelpText('after', '\nExamples:\n  netboot report results\n  netboot report results --baseline results-old')
    .action(async (directories: string[], { baseline }: { baseline?: string }) => {
      const compare = baseline === undefined ? undefined : compareWithBaseline(baseline);
      for (const directory of directories) {
        const result = readRun(directory);
        const outDir = resolve(directory);
        await writeReports(result, {
          place: { command: io.command, setDirs: [], outDir },
          records: runRecords(outDir),
          comparisons: compare?.of(result),
        });
        writeLines(io.stdout, [join(directory, 'report.html')]);
      }
    });
};
