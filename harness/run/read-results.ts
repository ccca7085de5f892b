import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkShape } from '../model/check-shape.ts';
import { HarnessError } from '../model/errors.ts';
import { type RunResult, runResultSchema } from '../model/verdict.ts';
import { parseBoundedJson, readBoundedText, recordMaxDepth } from '../os/bounded-file.ts';
import { mergeRuns } from './merge-runs.ts';

const resultsFile = 'results.json';

/** Far above the largest run: 10,000 cases take about 40 MB. */
const maxBytes = 256 << 20;

const badRun = (path: string, what: string, cause?: unknown): HarnessError =>
  new HarnessError('bad-run-directory', `${path}: ${what}`, {
    hint: 'Name a directory that `netboot run --out` wrote, its results.json, or a folder with the runs of all shards.',
    details: { path },
    cause,
  });

function readFile(path: string): RunResult {
  let raw: unknown;
  try {
    raw = parseBoundedJson(readBoundedText(path, maxBytes), recordMaxDepth);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw badRun(path, 'not JSON, or truncated', cause);
    throw badRun(path, `it cannot be read: ${(cause as Error).message}`, cause);
  }
  const checked = checkShape(runResultSchema, raw);
  if ('value' in checked) return checked.value;
  throw badRun(path, `not the results of a run: ${checked.problems[0]}`);
}

/**
 * The results of a run: a results.json, the directory that holds it, or a folder with a run directory for each shard.
 * @throws HarnessError `bad-run-directory` if there are none, or they are incomplete.
 */
export function readResults(path: string): RunResult {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw badRun(path, 'there is no such file or directory');
  if (!stats.isDirectory()) return readFile(path);
  const own = join(path, resultsFile);
  if (existsSync(own)) return readFile(own);
  if (existsSync(join(path, 'run.json')))
    throw new HarnessError(
      'bad-run-directory',
      `${path}: the run has no ${resultsFile}: it was killed before its end`,
      {
        hint: `netboot run --resume ${path} completes it.`,
        details: { path },
      },
    );
  const shards = readdirSync(path)
    .map((name) => join(path, name, resultsFile))
    .filter((file) => existsSync(file));
  if (shards.length === 0) throw badRun(path, `it holds no ${resultsFile}`);
  return mergeRuns(shards.sort().map(readFile));
}
