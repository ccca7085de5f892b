import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type BuildState, findFirstBad } from '../../compare/first-bad.ts';
import { HarnessError, systemErrorText } from '../../model/errors.ts';
import { globMatches } from '../../model/glob.ts';
import { folderByTime } from '../../run/records/claim-directory.ts';
import {
  addBuildOptions,
  type BuildOptions,
  bootBuild,
  type JudgedBuild,
  judgeAgainst,
  judgedLines,
} from '../boot-build.ts';
import type { AddCommand } from '../command.ts';
import { type CliIo, writeJson, writeLines } from '../io.ts';

type BisectOptions = BuildOptions & { sets: string; json?: boolean };

/** Folders that a pattern such as `builds/*` names, in the order of the numbers in their names. */
function foldersOf(pattern: string): string[] {
  const parent = dirname(pattern);
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch (cause) {
    throw new HarnessError('usage', `--sets ${pattern}: ${parent} cannot be read: ${systemErrorText(cause as Error)}`, {
      hint: 'Name the folders of the builds, such as --sets "builds/*".',
      cause,
    });
  }
  return (
    names
      .filter((name) => globMatches(basename(pattern), name))
      .map((name) => join(parent, name))
      // A link may lead nowhere.
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory())
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  );
}

interface Bisected {
  builds: string[];
  /** In the order in which they were booted. */
  booted: ({ build: string } & JudgedBuild)[];
  good?: string;
  bad?: string;
  skipped: string[];
  /** Both ends did the same when booted once more. */
  verified?: boolean;
  conclusion: string;
}

async function bisect(ids: readonly string[], options: BisectOptions, io: CliIo): Promise<Bisected> {
  const { sets: pattern } = options;
  const builds = foldersOf(pattern);
  const [oldest, newest] = [builds[0], builds.at(-1)];
  if (oldest === undefined || newest === undefined || builds.length < 2) {
    throw new HarnessError('usage', `--sets ${pattern}: expected two folders or more, saw ${builds.length}`, {
      hint: 'Name the folders of the builds, oldest first by name, such as --sets "builds/*".',
    });
  }
  const booted: Bisected['booted'] = [];
  const root = resolve(options.out ?? folderByTime());
  const boot = (build: string) =>
    bootBuild(ids, { ...options, set: [build], out: join(root, String(booted.length + 1).padStart(3, '0')) }, io);
  const first = await boot(oldest);
  const record = (build: string, judged: JudgedBuild): BuildState => {
    booted.push({ build, ...judged });
    const [state, ...why] = judgedLines(judged);
    writeLines(io.stderr, [`${build}: ${state}`, ...why]);
    if (io.signal.aborted) throw new HarnessError('interrupted', 'interrupted');
    return judged.state;
  };
  const stateOf = async (build: string): Promise<BuildState> => record(build, judgeAgainst(first, await boot(build)));
  const common = { builds, booted, skipped: [] };

  if (record(oldest, judgeAgainst(first, first)) !== 'good')
    return { ...common, conclusion: `${oldest} is no usable reference` };
  const state = await stateOf(newest);
  if (state !== 'bad') return { ...common, conclusion: `${newest} does what ${oldest} does: nothing to bisect` };
  const found = await findFirstBad(builds, stateOf);
  const verified = (await stateOf(found.good)) === 'good' && (await stateOf(found.bad)) === 'bad';
  const between =
    found.skipped.length > 0 ? `, or one of the ${found.skipped.length} between, which could not tell` : '';
  return {
    ...common,
    ...found,
    verified,
    conclusion: verified
      ? `the first bad build is ${found.bad}${between}; ${found.good} is still good`
      : `${found.good} and ${found.bad} did not do the same when booted again: the difference is intermittent`,
  };
}

export const bisectCommand: AddCommand = (program, io, end) => {
  addBuildOptions(program.command('bisect'))
    .description('Find the first build that does worse than the oldest one, booting about log2 of them.')
    .requiredOption('--sets <glob>', 'folders of builds, in the order of the numbers in their names')
    .option('--json', 'as JSON')
    .addHelpText('after', "\nExample:\n  netboot bisect --sets 'builds/*' 'arm-full-rom*.e1000.*'")
    .action(async (ids: string[], options: BisectOptions) => {
      const found = await bisect(ids, options, io);
      if (options.json) writeJson(io.stdout, found);
      else writeLines(io.stdout, [found.conclusion]);
      end(found.verified ? 1 : found.bad === undefined ? 0 : 3);
    });
};
