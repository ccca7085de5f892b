import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import type { RunResult } from '../../model/verdict.ts';
import type { Compare } from '../../report/comparison.ts';
import { reportHtml } from '../../report/html/report-html.ts';
import { writeReports } from '../../report/report-files.ts';
import { readResults } from '../../run/records/read-results.ts';
import { runRecords } from '../../run/records/run-records.ts';
import type { AddCommand } from '../command.ts';
import { compareWithBaseline } from '../comparisons.ts';
import { type CliIo, writeLines } from '../io.ts';
import { type OpenedRecord, withRecord } from '../record.ts';
import { writeOutput } from '../write-output.ts';

/** The result of the run in a directory; shards have directories of their own. */
function readRun(directory: string): RunResult {
  const hasShards = !existsSync(join(directory, 'results.json')) && !existsSync(join(directory, 'run.json'));
  const result = readResults(directory);
  if (!hasShards) return result;
  throw new HarnessError('usage', `${directory}: expected the directory of one run, saw a folder of runs`, {
    hint: `Name each: netboot report ${directory}/*`,
  });
}

/** Makes the reports of a run; resolves to the path of report.html. A bundle gets only that, next to it. */
async function makeReports(
  { source, directory, isBundle }: OpenedRecord,
  { command }: Pick<CliIo, 'command'>,
  compare: { baseline: string; with: Compare } | undefined,
): Promise<string> {
  const result = readRun(directory);
  const outDir = resolve(directory);
  const comparisons = compare?.with.of(result);
  if (compare && comparisons?.every(({ joined }) => joined === 0)) {
    throw new HarnessError('usage', `no case of ${source} is in ${compare.baseline}`, {
      hint: 'Name a run of the same matrix with --baseline.',
    });
  }
  const records = runRecords(outDir);
  if (!isBundle) {
    await writeReports(result, { place: { command, setDirs: [], outDir }, records, comparisons });
    return join(directory, 'report.html');
  }
  const page = source.replace(/\.zip$/i, '.html');
  const html = await reportHtml(result, { place: { command, setDirs: [], outDir: '.' }, records, comparisons });
  await writeOutput(page, Buffer.from(html));
  return page;
}

export const reportCommand: AddCommand = (program, io) => {
  program
    .command('report')
    .description('Make the reports of finished runs again, from their records.')
    .argument('<dirs...>', 'directories that `netboot run --out` wrote, or bundles')
    .option('--baseline <old>', 'an earlier run: report.html begins with what changed since')
    .addHelpText(
      'after',
      '\nExamples:\n  netboot report results\n  netboot report results --baseline results-old\n  netboot report bundle.zip   report.html of a bundle, as bundle.html',
    )
    .action(async (directories: string[], { baseline }: { baseline?: string }) => {
      const compare = baseline === undefined ? undefined : { baseline, with: compareWithBaseline(baseline) };
      for (const path of directories) {
        const written = await withRecord(path, (record) => makeReports(record, io, compare));
        writeLines(io.stdout, [written]);
      }
    });
};
