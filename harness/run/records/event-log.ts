import { closeSync, openSync, writeFileSync } from 'node:fs';
import { boundReached, recordBounds } from '../../model/bounds.ts';
import { HarnessError } from '../../model/errors.ts';
import type { EventSink, HarnessEvent, UntimedEvent } from '../../model/events.ts';
import { readBoundedLines } from '../../os/bounded-file.ts';
import { type CaseClock, createCaseClock } from './case-clock.ts';

/** The one record of a case: stamps events, writes them, passes them to followers. */
export interface EventLog {
  /** Never throws: a failing follower ends the case, with an `infrastructure` event. */
  readonly emit: EventSink;
  /**
   * What was logged so far, from its file: only a verdict needs all of it at once. What is judged live is what the record
   * says.
   * @throws HarnessError `disk` if the file cannot be read.
   */
  read(): HarnessEvent[];
  /** Milliseconds since the case started, monotonic. */
  now(): number;
  readonly clock: CaseClock;
  close(): void;
}

/** The harness's own file has no bounds but those of what was written. */
const unbounded = { maxBytes: Number.MAX_SAFE_INTEGER, maxLineBytes: Number.MAX_SAFE_INTEGER };

/** The first events of a log; a write that failed may have left a part of more. */
function firstEvents(path: string, count: number): HarnessEvent[] {
  const events: HarnessEvent[] = [];
  for (const line of readBoundedLines(path, unbounded)) {
    if (line === undefined || events.length === count) break;
    events.push(JSON.parse(line));
  }
  if (events.length < count) throw new Error(`${events.length} of ${count} events are left`);
  return events;
}

const flushBytes = 32 << 10;
const flushMs = 250;

/** Logged even when the log is full: how the case ended. A guest cannot cause these repeatedly. */
const isLast = ({ source, type }: UntimedEvent): boolean => source === 'run' || (source === 'vm' && type !== 'stderr');

/**
 * Opens `events.jsonl` at `path`; a killed harness loses at most the last quarter of a second. `onTrouble` is called once
 * if the disk fails: from then on events are kept in memory. Once the log is full (`run/bounded`), only the case's
 * end is still logged: up to there the log is complete and in order.
 */
export function openEventLog(
  path: string,
  onEvent: (event: HarnessEvent) => void,
  onTrouble: (error: Error) => void = () => {},
): EventLog {
  const fd = openSync(path, 'w');
  const clock = createCaseClock();
  const { now } = clock;
  /** Lines on their way to the file, and how many are in it. */
  let buffered: string[] = [];
  let bufferedLength = 0;
  let writtenLines = 0;
  let loggedBytes = 0;
  let full = false;
  let faulted = false;
  let closed = false;
  let broken = false;
  /** Set while something waits: most guests are silent most of the time, and each timer that fires wakes the process. */
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (broken || buffered.length === 0) return;
    try {
      writeFileSync(fd, buffered.join(''));
      writtenLines += buffered.length;
      buffered = [];
      bufferedLength = 0;
    } catch (error) {
      broken = true;
      onTrouble(error as Error);
    }
  };

  const record = (event: HarnessEvent): void => {
    const line = `${JSON.stringify(event)}\n`;
    buffered.push(line);
    bufferedLength += line.length;
    loggedBytes += line.length;
    if (bufferedLength > flushBytes) flush();
    else timer ??= setTimeout(flush, flushMs).unref();
  };

  const read = (): HarnessEvent[] => {
    flush();
    try {
      const written = writtenLines > 0 ? firstEvents(path, writtenLines) : [];
      return [...written, ...buffered.map((line): HarnessEvent => JSON.parse(line))];
    } catch (cause) {
      const hint = 'The case is judged by this file: nothing else may write to the directory of a run.';
      throw new HarnessError('disk', `${path} cannot be read back: ${(cause as Error).message}`, { hint, cause });
    }
  };

  const follow = (event: HarnessEvent): void => {
    try {
      onEvent(event);
    } catch (error) {
      if (faulted) return;
      faulted = true;
      const message = `what follows the events failed at ${event.source}/${event.type}: ${(error as Error).message}`;
      emit({ source: 'run', type: 'infrastructure', code: 'internal', message, retryable: true });
    }
  };

  const emit = (untimed: UntimedEvent): void => {
    if (closed || (full && !isLast(untimed))) return;
    const event = { tMs: now(), ...untimed } as HarnessEvent;
    record(event);
    follow(event);
    if (full || loggedBytes < recordBounds.eventLogBytes) return;
    full = true;
    emit(boundReached('eventLogBytes'));
  };

  return {
    read,
    now,
    clock,
    emit,
    close() {
      if (closed) return;
      // Its trouble is logged too.
      flush();
      closed = true;
      closeSync(fd);
    },
  };
}
