import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import { type RunResult, runResultSchema } from '../../model/verdict.ts';
import { mergeRuns } from './merge-runs.ts';
import { badRun, orRefused, readRecord } from './read-record.ts';
import { runRecordFile } from './run-directory.ts';

const resultsFile = 'results.json';

/** Far above the largest run: 10,000 cases take about 40 MB. */
const maxBytes = 256 << 20;

const readFile = (path: string): RunResult => readRecord(path, runResultSchema, maxBytes);

const isRun = (directory: string): boolean =>
  [resultsFile, runRecordFile].some((name) => existsSync(join(directory, name)));

/**
 * The run directories in a path: itself, or those in a folder of shards, by name.
 * @throws HarnessError `bad-run-directory` if there are none.
 */
export function runDirectoriesOf(path: string): string[] {
  if (!orRefused(path, () => statSync(path)).isDirectory()) throw badRun(path, 'it is not a directory');
  if (isRun(path)) return [path];
  const shards = orRefused(path, () => readdirSync(path))
    .map((name) => join(path, name))
    .filter(isRun);
  if (shards.length === 0) throw badRun(path, `it holds no ${resultsFile}`);
  return shards.sort();
}

function readRun(directory: string): RunResult {
  const results = join(directory, resultsFile);
  if (existsSync(results)) return readFile(results);
  throw new HarnessError(
    'bad-run-directory',
    `${directory}: the run has no ${resultsFile}: it was killed before its end`,
    { hint: `netboot run --resume ${directory} completes it.`, details: { path: directory } },
  );
}

/**
 * The results of a run: a results.json, the directory that holds it, or a folder with a run directory for each shard.
 * @throws HarnessError `bad-run-directory` if there are none, or they are incomplete.
 */
export function readResults(path: string): RunResult {
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return readFile(path);
  const [first, ...others] = runDirectoriesOf(path).map(readRun) as [RunResult, ...RunResult[]];
  return others.length === 0 ? first : mergeRuns([first, ...others]);
}
