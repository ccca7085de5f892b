import { execa } from 'execa';
import type { BuildState } from '../../compare/first-bad.ts';
import { joinRuns } from '../../compare/join.ts';
import { HarnessError } from '../../model/errors.ts';
import { readResults } from '../../run/records/read-results.ts';
import {
  addBuildOptions,
  type BuildOptions,
  bootBuild,
  type JudgedBuild,
  judgeAgainst,
  judgeByExpectation,
  judgedLines,
} from '../boot-build.ts';
import type { AddCommand } from '../command.ts';
import { type CliIo, writeLines } from '../io.ts';

/** git bisect run: 0 good, 1 bad, 125 skip this commit, 128 and above stop. */
const stepCodes: Record<BuildState, 0 | 1 | 125> = { good: 0, bad: 1, unknown: 125 };
const stopCode = 128;

type StepOptions = BuildOptions & { build?: string; baseline?: string };

/** Runs the build's command; resolves to what it said if it failed. */
async function build(command: string, { signal }: CliIo): Promise<JudgedBuild | undefined> {
  const built = await execa(command, {
    shell: true,
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    cancelSignal: signal,
  });
  if (!built.failed) return undefined;
  const said = built.stderr.slice(-2000).split('\n');
  return { state: 'unknown', why: [`the build failed: ${built.shortMessage}`, ...said] };
}

async function step(ids: readonly string[], options: StepOptions, io: CliIo): Promise<JudgedBuild> {
  const baseline = options.baseline === undefined ? undefined : readResults(options.baseline);
  const failed = options.build === undefined ? undefined : await build(options.build, io);
  if (failed !== undefined) return failed;
  const result = await bootBuild(ids, options, io);
  if (baseline === undefined) return judgeByExpectation(result);
  if (joinRuns(baseline, result, ['set']).every(({ before, after }) => before.length === 0 || after.length === 0)) {
    throw new HarnessError('usage', `--baseline ${options.baseline}: none of the chosen cases is in that run`, {
      hint: 'Name a run of the same matrix.',
    });
  }
  return judgeAgainst(baseline, result);
}

export const bisectStepCommand: AddCommand = (program, io, end) => {
  addBuildOptions(program.command('bisect-step'))
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
    .action(async (ids: string[], options: StepOptions) => {
      const judged = await step(ids, options, io);
      if (io.signal.aborted) return end(stopCode);
      writeLines(io.stdout, judgedLines(judged));
      end(stepCodes[judged.state]);
    });
};
