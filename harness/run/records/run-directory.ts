import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { checkShape } from '../../model/check-shape.ts';
import { HarnessError } from '../../model/errors.ts';
import { eventSchema, type HarnessEvent } from '../../model/events.ts';
import { type Plan, planSchema } from '../../model/plan.ts';
import { scenarioSchema } from '../../model/scenario.ts';
import { type CaseResult, caseResultSchema } from '../../model/verdict.ts';
import { parseBoundedJson, readBoundedLines, recordMaxDepth } from '../../os/bounded-file.ts';
import { attemptDirectory, caseFiles, type StartedQemu, startedQemuSchema } from './case-directory.ts';
import { badRun, orRefused, readRecord, unexpected } from './read-record.ts';

/** Far more than any run writes: records are untrusted. */
const eventLogBounds = { maxBytes: 256 << 20, maxLineBytes: 1 << 20 };
const maxCases = 1_000_000;

/** What a run was asked to do; written first, so that a killed run can be resumed. */
const runRecordSchema = z.strictObject({
  version: z.literal(1),
  matrix: z.string(),
  startedAt: z.string(),
  cells: z.array(scenarioSchema),
  repeat: z.int().positive(),
  /** SHA-256 of the harness that started it; absent from older records. */
  code: z.string().optional(),
  /** Folders of artefact sets from outside this machine and the cache, absolute. */
  setDirs: z.array(z.string()).optional(),
  /** The sets that every cell runs on, where there are several to compare: by name, in order. */
  sets: z.array(z.string()).optional(),
  /** Which part of a selection the cells are, and the place of each in the whole. */
  shard: z
    .strictObject({ index: z.int().positive(), count: z.int().positive(), places: z.array(z.int().nonnegative()) })
    .optional(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

function problemOf({ cells, repeat, shard }: RunRecord): string | undefined {
  if (shard !== undefined && shard.places.length !== cells.length)
    return `shard.places: expected one for each of ${cells.length} cells, saw ${shard.places.length}`;
  if (cells.length * repeat > maxCases)
    return `repeat: ${cells.length} cells ${repeat} times are more than ${maxCases} cases`;
  const seen = new Set<string>();
  const twice = cells.map(({ id }) => id.toLowerCase()).find((id) => seen.size === seen.add(id).size);
  return twice === undefined ? undefined : `cells: two cells have the id ${twice}, and would share a directory`;
}

export const runRecordFile = 'run.json';
export const casesFolder = 'cases';

export function readRunRecord(runDir: string): RunRecord {
  const path = join(runDir, runRecordFile);
  const record = readRecord(path, runRecordSchema);
  const problem = problemOf(record);
  if (problem !== undefined) throw unexpected(path, problem);
  return record;
}

/** The artefact sets of the run that a case's directory lies in; none if it lies in no run, or one that does not say. */
export function readSetDirs(caseDir: string): string[] {
  const runDir = resolve(caseDir, '../..');
  return existsSync(join(runDir, runRecordFile)) ? (readRunRecord(runDir).setDirs ?? []) : [];
}

/** A finished case's result; undefined if it has none (yet). */
export function readCaseResult(caseDir: string): CaseResult | undefined {
  const path = join(caseDir, caseFiles.result);
  return existsSync(path) ? readRecord(path, caseResultSchema) : undefined;
}

/** The QEMU that a case was started with; undefined if its directory does not say. */
export function readStartedQemu(caseDir: string): StartedQemu | undefined {
  const path = join(caseDir, caseFiles.qemu);
  return existsSync(path) ? readRecord(path, startedQemuSchema) : undefined;
}

export function readPlan(caseDir: string): Plan {
  return readRecord(join(caseDir, caseFiles.plan), planSchema);
}

/**
 * Reads a case's event log. A last line cut off by a kill is ignored; any other line that is not an event is an error
 * naming that line.
 */
export function readEvents(caseDir: string): HarnessEvent[] {
  const path = join(caseDir, caseFiles.events);
  const events: HarnessEvent[] = [];
  try {
    for (const line of readBoundedLines(path, eventLogBounds)) events.push(parseEvent(line, path, events.length));
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    throw new HarnessError('bad-event-log', `${path}: it cannot be read: ${(cause as Error).message}`, {
      hint: 'Copy the whole directory of the case: its events.jsonl is what is judged.',
      cause,
    });
  }
  return events;
}

function parseEvent(line: string | undefined, path: string, index: number): HarnessEvent {
  if (line === undefined) throw badLine(path, index, `it is longer than ${eventLogBounds.maxLineBytes} bytes`);
  let raw: unknown;
  try {
    raw = parseBoundedJson(line, recordMaxDepth);
  } catch (cause) {
    const problem = cause instanceof SyntaxError ? 'it is not JSON' : (cause as Error).message;
    throw badLine(path, index, problem, cause);
  }
  const checked = checkShape(eventSchema, raw);
  if ('problems' in checked) throw badLine(path, index, `it is not an event of this version: ${checked.problems[0]}`);
  return checked.value;
}

function badLine(path: string, index: number, what: string, cause?: unknown): HarnessError {
  return new HarnessError('bad-event-log', `${path}, line ${index + 1}: ${what}`, {
    hint: 'Restore the log from its run; logs are not meant to be edited.',
    cause,
  });
}

/** The case directories of a run, or the directory itself if it is a case's. */
export function caseDirectoriesOf(path: string): string[] {
  if (!orRefused(path, () => statSync(path)).isDirectory()) throw badRun(path, 'it is not a directory');
  if (existsSync(join(path, caseFiles.plan))) return [path];
  const cases = join(path, casesFolder);
  if (!existsSync(cases)) throw badRun(path, `it holds neither ${caseFiles.plan} nor ${casesFolder}/`);
  return orRefused(cases, () => readdirSync(cases))
    .map((name) => join(cases, name))
    .filter((dir) => existsSync(join(dir, caseFiles.plan)))
    .sort();
}

/** What the guests of a case left behind, in the order of its attempts. */
export function attemptDirectoriesOf(caseDir: string): string[] {
  const again = attemptDirectory(caseDir, 2);
  return existsSync(join(again, caseFiles.plan)) ? [caseDir, again] : [caseDir];
}
