import { closeSync, openSync, writeFileSync } from 'node:fs';
import type { EventSink, HarnessEvent } from '../model/events.ts';

/** The one record of a case: stamps events, writes them, tells whoever follows. */
export interface Timeline {
  readonly emit: EventSink;
  readonly events: readonly HarnessEvent[];
  /** Milliseconds since the case started, monotonic. */
  now(): number;
  close(): void;
}

const flushBytes = 32 << 10;
const flushMs = 250;

/**
 * Opens `events.jsonl` at `path`; a killed harness loses at most the last quarter of a second. `onTrouble` is told once
 * when the disk does not take it: events then live on in memory alone.
 */
export function openTimeline(
  path: string,
  onEvent: (event: HarnessEvent) => void,
  onTrouble: (error: Error) => void = () => {},
): Timeline {
  const fd = openSync(path, 'w');
  const startedAt = performance.now();
  const now = (): number => Math.round((performance.now() - startedAt) * 1000) / 1000;
  const events: HarnessEvent[] = [];
  let buffered = '';
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
  const timer = setInterval(flush, flushMs);
  timer.unref();

  return {
    events,
    now,
    emit(untimed) {
      if (closed) return;
      const event = { tMs: now(), ...untimed } as HarnessEvent;
      events.push(event);
      buffered += `${JSON.stringify(event)}\n`;
      if (buffered.length > flushBytes) flush();
      onEvent(event);
    },
    close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      flush();
      closeSync(fd);
    },
  };
}
