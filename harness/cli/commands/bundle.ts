import { basename, resolve } from 'node:path';
import { createFingerprints } from '../../assets/fingerprint.ts';
import { writeReports } from '../../report/report-files.ts';
import { writeBundle } from '../../run/bundle/write-bundle.ts';
import { runRecords } from '../../run/records/run-records.ts';
import type { AddCommand } from '../command.ts';
import { writeLines } from '../io.ts';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export const bundleCommand: AddCommand = (program, io) => {
  program
    .command('bundle')
    .description(
      'Pack a case, or a run, into one zip file to attach to a bug report: records, reports, names of inputs.',
    )
    .argument('<dir>', "a case's directory, or a run's")
    .option('--inputs', 'also the firmware, ROMs, loaders and kernels that were used')
    .option('--out <file>', 'the zip file (default: the name of the directory, here)')
    .addHelpText(
      'after',
      `
judge, report, compare and repro take the zip file in place of a directory.

Examples:
  netboot bundle results/cases/CASE
  netboot bundle results/cases/CASE --inputs --out for-the-list.zip
  netboot judge for-the-list.zip; netboot repro for-the-list.zip`,
    )
    .action(async (path: string, { inputs = false, out }: { inputs?: boolean; out?: string }) => {
      const file = out ?? `${basename(resolve(path))}.zip`;
      const written = await writeBundle({
        path,
        out: file,
        inputs,
        fingerprints: createFingerprints(),
        writeReports: (result, directory) =>
          writeReports(result, {
            // Where it will be unpacked is not known.
            place: { command: 'netboot', setDirs: [], outDir: '.' },
            records: runRecords(directory),
            into: directory,
          }),
      });
      const left = written.inputs.filter(({ included }) => !included);
      const cases = `${written.cases} ${written.cases === 1 ? 'case' : 'cases'}`;
      writeLines(io.stdout, [`${file}: ${cases}, ${megabytes(written.bytes)}`]);
      if (left.length > 0) {
        const why = inputs ? 'folders and programs' : '--inputs adds them';
        writeLines(io.stderr, [`not in it, by name, package and SHA-256 only: ${left.length} inputs (${why})`]);
      }
    });
};
