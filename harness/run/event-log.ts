import { closeSync, openSync, writeFileSync } from 'node:fs';
import { boundReached, recordBounds } from '../model/bounds.ts';
import type { EventSink, HarnessEvent, UntimedEvent } from '../model/events.ts';
import { type CaseClock, createCaseClock } from './case-clock.ts';

/** The one record of a case: stamps events, writes them, passes them to followers. */
export interface EventLog {
  /** Never throws: a failing follower ends the case, with an `infrastructure` event. */
  readonly emit: EventSink;
  readonly events: readonly HarnessEvent[];
  /** Milliseconds since the case started, monotonic. */
  now(): number;
  readonly clock: CaseClock;
  close(): void;
}

const flushBytes = 32 << 10;
const flushMs = 250;

/** Logged even when the log is full: how the case ended. A guest cannot cause these repeatedly. */
const isLast = ({ source, type }: UntimedEvent): boolean => source === 'run' || (source === 'vm' && type !== 'stderr');

/**
 * Opens `events.jsonl` at `path`; a killed harness loses at most the last quarter of a second. `onTrouble` is called once
 * if the disk fails: from then on events are kept only in memory. Once the log is full (`run/bounded`), only the case's
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
  const events: HarnessEvent[] = [];
  let buffered = '';
  let loggedBytes = 0;
  let full = false;
  let faulted = false;
  let closed = false;
  let broken = false;

  const flush = (): void => {
    const lines = buffered;
    buffered = '';
    if (broken || !lines) return;
    try {
      writeFileSync(fd, lines);
    } catch (error) {
      broken = true;
      onTrouble(error as Error);
    }
  };

  const record = (event: HarnessEvent): void => {
    events.push(event);
    const line = `${JSON.stringify(event)}\n`;
    buffered += line;
    loggedBytes += line.length;
    if (buffered.length > flushBytes) flush();
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

  const timer = setInterval(flush, flushMs);
  timer.unref();

  return {
    events,
    now,
    clock,
    emit,
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      flush();
      closeSync(fd);
    },
  };
}
