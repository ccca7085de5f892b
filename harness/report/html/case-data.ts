import type { HarnessEvent } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import { type CaseResult, findingTexts, type Status, type Verdict } from '../../model/verdict.ts';
import { type RunPlace, reproCommand } from '../run-facts.ts';
import { consoleChunks } from './console-chunks.ts';
import { plainQemu } from './plain-qemu.ts';
import type { AttemptRecord, CaseRecord, RecordedEvent } from './report-data.ts';

/** Serial output: all of it, or its beginning and end if there is too much. */
interface SerialBytes {
  head: Buffer;
  /** Bytes left out in between. */
  leftOut: number;
  tail: Buffer;
}

/** What is read from an attempt's directory. */
interface AttemptFiles {
  plan: Plan;
  events: HarnessEvent[];
  serial: SerialBytes;
}

/** How the report reads the records of a run; the caller knows how they are stored. */
export interface RunRecords {
  /** `directory` is relative to the run's. Throws if nothing can be read. */
  read(directory: string): AttemptFiles;
  judge(files: AttemptFiles): Verdict;
}

/** A guest that floods the wire must not make the report too large to open. */
const mostEvents = 4_000;
const longestText = 2_000;

function withoutMiddle<T>(items: readonly T[], most: number): { kept: T[]; leftOut: number } {
  if (items.length <= most) return { kept: [...items], leftOut: 0 };
  return { kept: [...items.slice(0, most / 2), ...items.slice(-most / 2)], leftOut: items.length - most };
}

/** Rounds times to tenths of a millisecond, and cuts long texts. */
function compact<T>(value: T): T {
  const shorten = (_: string, part: unknown): unknown => {
    if (typeof part === 'number') return Math.round(part * 10) / 10;
    return typeof part === 'string' && part.length > longestText ? `${part.slice(0, longestText)}…` : part;
  };
  return JSON.parse(JSON.stringify(value, shorten)) as T;
}

const isShown = (event: HarnessEvent): event is RecordedEvent => event.source !== 'serial';

function consoleOf(events: readonly HarnessEvent[], { head, leftOut, tail }: SerialBytes): AttemptRecord['console'] {
  /** Where a byte of the whole stands in what is left of it. */
  const kept = (offset: number) => Math.max(Math.min(offset, head.length), offset - leftOut);
  const marks = events.flatMap((event) =>
    event.source === 'serial' ? [{ tMs: Math.round(event.tMs), offset: kept(event.offset) }] : [],
  );
  return consoleChunks(Buffer.concat([head, tail]), marks);
}

function attemptRecord(directory: string, files: AttemptFiles, status: Status, verdict: Verdict): AttemptRecord {
  const { kept, leftOut } = withoutMiddle(files.events.filter(isShown), mostEvents);
  const started = files.events.find((event) => event.source === 'run' && event.type === 'started');
  const spawned = files.events.find((event) => event.source === 'vm' && event.type === 'spawned');
  const { stages, failure, diagnosis } = verdict;
  return {
    directory,
    status,
    accel: spawned && 'accel' in spawned ? spawned.accel : null,
    startedAt: started && 'at' in started ? started.at : null,
    durationMs: Math.round(files.events.at(-1)?.tMs ?? 0),
    ...compact({ stages, failure, diagnosis, findings: findingTexts(verdict), events: kept }),
    console: consoleOf(files.events, files.serial),
    consoleBytesLeftOut: files.serial.leftOut,
    eventsLeftOut: leftOut,
  };
}

/** The details of one case; undefined if no guest left any records. */
export function caseRecordOf(result: CaseResult, place: RunPlace, records: RunRecords): CaseRecord | undefined {
  const { run, verdict } = result;
  const attempts = run.attempts.map(({ directory, status }, index) => {
    const files = records.read(directory);
    // The case's verdict is that of its first attempt.
    return { files, record: attemptRecord(directory, files, status, index === 0 ? verdict : records.judge(files)) };
  });
  const [first] = attempts;
  if (first === undefined) return undefined;
  return {
    inputs: run.inputs,
    repro: reproCommand(result, place),
    plainQemu: plainQemu(first.files.plan),
    attempts: attempts.map(({ record }) => record),
  };
}
