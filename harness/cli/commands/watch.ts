import { rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { comparePairs } from '../../compare/compare.ts';
import { joinRuns } from '../../compare/join.ts';
import { HarnessError } from '../../model/errors.ts';
import type { Reporter } from '../../model/reporter.ts';
import { isReused, type RunResult } from '../../model/verdict.ts';
import { comparisonLines } from '../../report/comparison.ts';
import { caseLines, printLines } from '../../report/console-output.ts';
import { multiplex } from '../../report/multiplex.ts';
import { totalsLine } from '../../report/run-facts.ts';
import { folderByTime } from '../../run/records/claim-directory.ts';
import { type RunOptions, runMatrix } from '../../run/run-matrix.ts';
import { openArtefacts } from '../artefacts.ts';
import { accelOption, addCaseOptions, type CaseOptions } from '../case-options.ts';
import { chooseCases } from '../choose-cases.ts';
import type { AddCommand } from '../command.ts';
import { explainError } from '../explain-error.ts';
import { watchFolders } from '../folder-watch.ts';
import { type CliIo, consoleOutput, writeLines } from '../io.ts';
import { onlyFiles } from '../reporters.ts';

type WatchOptions = CaseOptions & { accel: RunOptions['accel']; out?: string };

/** A finished round. */
interface Round {
  outDir: string;
  result: RunResult;
}

/** One line for each case that was booted, then what changed since the last round. */
function roundReporter(io: CliIo, last: RunResult | undefined): Reporter {
  const output = consoleOutput(io.stdout, io.env);
  let total = 0;
  let done = 0;
  return {
    onRunStart(run) {
      total = run.total;
    },
    onCaseEnd(one) {
      done += 1;
      if (!isReused(one)) printLines(output, caseLines(one, { done, total, ...output }));
    },
    onRunEnd(result) {
      const reused = result.cases.filter(isReused).length;
      const comparison = last === undefined ? [] : comparisonLines(comparePairs(joinRuns(last, result)));
      const counts = reused > 0 ? `, ${reused} of them not booted: their inputs are unchanged` : '';
      writeLines(io.stdout, [...comparison, `${totalsLine(result)}${counts}`]);
    },
  };
}

interface Watching {
  ids: readonly string[];
  options: WatchOptions;
  io: CliIo;
  /** Parent of the rounds' directories. */
  root: string;
}

/** Runs the cells with what the sets hold now; those whose inputs are unchanged take the records of the last round. */
async function runRound(nth: number, last: Round | undefined, { ids, options, io, root }: Watching): Promise<Round> {
  const artefacts = await openArtefacts(options.set ?? [], io);
  const chosen = await chooseCases(ids, options, artefacts);
  const outDir = join(root, String(nth).padStart(3, '0'));
  const { reporter, failures } = multiplex({
    files: onlyFiles(io, artefacts),
    console: roundReporter(io, last?.result),
  });
  const result = await runMatrix({
    ...artefacts,
    ...chosen,
    outDir,
    accel: options.accel,
    repeat: 1,
    reuse: last && { from: last.outDir, maxAgeMs: Number.POSITIVE_INFINITY },
    reporter,
    signal: io.signal,
  });
  writeLines(io.stderr, failures);
  return { outDir, result };
}

const shown = 3;

function changeLines(paths: readonly string[]): string[] {
  const some = paths.slice(0, shown).map((path) => relative(process.cwd(), path));
  return ['', `changed: ${some.join(', ')}${paths.length > shown ? ` and ${paths.length - shown} more` : ''}`];
}

/** Resolves to 0 if it ended while it waited, or to 130 if a round was interrupted. */
async function watchSets(folders: readonly string[], watching: Watching): Promise<0 | 130> {
  const { io } = watching;
  const nextChange = watchFolders(folders);
  let last = await runRound(1, undefined, watching);
  for (let nth = 2; !io.signal.aborted; nth++) {
    writeLines(io.stdout, [`waiting for changes below ${folders.join(', ')}; Ctrl-C ends`]);
    const paths = await nextChange(io.signal).catch((error: unknown) => {
      if (io.signal.aborted) return undefined;
      throw error;
    });
    if (paths === undefined) return 0;
    writeLines(io.stdout, changeLines(paths));
    try {
      const round = await runRound(nth, last, watching);
      if (io.signal.aborted) break;
      // Its records that are still in use are in the new round too.
      await rm(last.outDir, { recursive: true });
      last = round;
    } catch (error) {
      // A build in progress can leave a set without a usable file.
      if (!(error instanceof HarnessError) || io.signal.aborted) throw error;
      explainError(error, io, false);
    }
  }
  return 130;
}

export const watchCommand: AddCommand = (program, io, end) => {
  addCaseOptions(program.command('watch'))
    .description(
      'Run cases, and again what a change below --set DIR touches, as it happens; each time say what changed.',
    )
    .option('--out <dir>', 'where the records of the last round go (default: .runs/<time>)')
    .addOption(accelOption().default('auto'))
    .addHelpText(
      'after',
      `
Cases whose inputs are unchanged are not booted again. Ctrl-C ends.

Example:
  netboot watch --set ipxe/src/bin-x86_64-efi 'uefi-*'`,
    )
    .action(async (ids: string[], options: WatchOptions) => {
      const { setDirs: folders } = await openArtefacts(options.set ?? [], io);
      if (folders.length === 0) {
        throw new HarnessError('usage', 'expected a folder to watch, saw none', {
          hint: 'Name the folder of a build: netboot watch --set DIR',
        });
      }
      const root = resolve(options.out ?? folderByTime());
      end(await watchSets(folders, { ids, options, io, root }));
    });
};
