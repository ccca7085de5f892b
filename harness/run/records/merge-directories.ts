import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { repeatId } from '../../model/case-id.ts';
import { HarnessError } from '../../model/errors.ts';
import type { CaseResult, RunResult } from '../../model/verdict.ts';
import { removeIfKilled } from '../../os/temporary-folder.ts';
import { writeRecord } from './case-directory.ts';
import { copyRecords } from './copy-records.ts';
import { emptyDirectoryInside, pathInside } from './inside.ts';
import { mergeRecords } from './merge-records.ts';
import { mergeRuns } from './merge-runs.ts';
import { readResults, runDirectoriesOf } from './read-results.ts';
import { casesFolder, type RunRecord, readRunRecord, runRecordFile } from './run-directory.ts';
import { notesOf } from './run-summary.ts';

const bad = (message: string, hint: string, cause?: unknown): HarnessError =>
  new HarnessError('bad-run-directory', message, { hint, cause });

/** A finished run's directory. */
interface Part {
  path: string;
  record: RunRecord;
  result: RunResult;
}

function readPart(path: string): Part {
  const [record, result] = [readRunRecord(path), readResults(path)];
  const asked = record.cells.flatMap(({ id }) =>
    Array.from({ length: record.repeat }, (_, nth) => repeatId(id, nth + 1)),
  );
  const found = result.cases.map(({ id }) => id);
  const odd = asked.find((id) => !found.includes(id)) ?? found.find((id) => !asked.includes(id));
  if (odd !== undefined)
    throw bad(`${path}: run.json and results.json do not agree about ${odd}`, 'Copy the run again, whole.');
  return { path, record, result };
}

/** The merged run, and where the records of each case are. */
function mergeParts(parts: readonly [Part, ...Part[]]): { record: RunRecord; result: RunResult; missing: string[] } {
  const { record, missing } = mergeRecords(parts);
  const merged = mergeRuns(parts.map(({ result }) => result));
  const placeOf = new Map(record.cells.map(({ id }, place) => [id, place]));
  const place = ({ scenario }: CaseResult) => placeOf.get(scenario.id) ?? 0;
  // Notes on a part are made again for the whole.
  const ofParts = new Set(parts.flatMap((part) => notesOf(part.result.cases, part.record)));
  return {
    record,
    missing,
    result: {
      ...merged,
      cases: [...merged.cases].sort((a, b) => place(a) - place(b) || a.round - b.round),
      notes: [
        ...missing.map((shard) => `shard ${shard} is missing: its cases are not in these results`),
        ...notesOf(merged.cases, record),
        ...merged.notes.filter((note) => !ofParts.has(note)),
      ],
    },
  };
}

/** Copies the records of the cases, each from the run that its result is from. */
function copyCases(parts: readonly Part[], result: RunResult, into: string): void {
  const homes = new Map(parts.flatMap(({ path, result: { cases } }) => cases.map((one) => [one, path] as const)));
  for (const one of result.cases) {
    const home = homes.get(one);
    if (one.run.directory === null || home === undefined) continue;
    const directory = join(casesFolder, one.id);
    const isOwn = (path: string) => path === directory || path.startsWith(`${directory}/`);
    if (one.run.directory !== directory || !one.run.attempts.every((attempt) => isOwn(attempt.directory)))
      throw bad(`${home}: the records of ${one.id} are said to be in ${one.run.directory}`, `Expected ${directory}.`);
    const from = pathInside(home, directory);
    if (!existsSync(from)) throw bad(`${from}: the records of this case are missing`, 'Copy the run again, whole.');
    copyRecords(from, emptyDirectoryInside(into, directory));
  }
}

function refuseTaken(path: string): void {
  const isFree = !existsSync(path) || readdirSync(path).length === 0;
  if (!isFree) throw bad(`${path}: it is not empty`, 'Choose another folder with --out.');
}

export interface MergedRun {
  result: RunResult;
  record: RunRecord;
  /** Absolute. */
  outDir: string;
  /** Shards that are not there, such as `3/4`. */
  missing: string[];
}

export interface MergeOptions {
  /** Run directories, or folders of them. */
  paths: readonly string[];
  /** A folder that is empty or does not exist. */
  out: string;
  /** Writes the reports into the folder `into`, which has the records and will be renamed to `outDir`. */
  writeReports(merged: Pick<MergedRun, 'result' | 'record' | 'outDir'>, into: string): Promise<void>;
}

/**
 * Makes one run of shards and of runs that completed them, whole or not at all: records, results and reports.
 * @throws HarnessError `bad-run-directory` for conflicts and for incomplete runs, `disk` if it cannot be written
 */
export async function mergeDirectories({ paths, out, writeReports }: MergeOptions): Promise<MergedRun> {
  const parts = [...new Set(paths.flatMap(runDirectoriesOf).map((path) => resolve(path)))].map(readPart);
  const { record, result, missing } = mergeParts(parts as [Part, ...Part[]]);
  const outDir = resolve(out);
  refuseTaken(outDir);
  const unfinished = `${outDir}.${randomBytes(4).toString('hex')}.part`;
  const { keep, remove } = removeIfKilled(unfinished);
  try {
    mkdirSync(dirname(outDir), { recursive: true });
    mkdirSync(join(unfinished, casesFolder), { recursive: true });
    await writeRecord(join(unfinished, runRecordFile), record);
    copyCases(parts, result, unfinished);
    await writeReports({ result, record, outDir }, unfinished);
    renameSync(unfinished, outDir);
    await keep();
  } catch (cause) {
    await remove();
    if (cause instanceof HarnessError) throw cause;
    throw new HarnessError('disk', `${out}: cannot be written: ${(cause as Error).message}`, {
      hint: 'Choose another folder with --out.',
      cause,
    });
  }
  return { result, record, outDir, missing };
}
