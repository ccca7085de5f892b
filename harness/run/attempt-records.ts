import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventSink, HarnessEvent } from '../model/events.ts';
import { createConsole } from '../observe/console.ts';
import { caseFiles } from './case-directory.ts';
import { openEventLog } from './event-log.ts';
import { openRawLogs } from './raw-logs.ts';

/** A serial port that is silent for so long has paused: the line it is in is recorded as it stands. */
const pauseMs = 100;

/** What an attempt leaves in its directory while it runs: the event log, the raw octets, the console as it was seen. */
export interface AttemptRecords {
  readonly emit: EventSink;
  /** QMP overtakes the serial port: what a guest printed before such an event is read, and recorded, first. */
  readonly emitAfterConsole: EventSink;
  readonly events: readonly HarnessEvent[];
  /** Milliseconds since the attempt began, monotonic. */
  now(): number;
  serial(chunk: Buffer): void;
  /** Bytes of the serial port so far. */
  serialBytes(): number;
  stderr(chunk: Buffer): void;
  /** The case has ended: what the console still holds is recorded. */
  endConsole(): void;
  /** Without its records a case proves nothing: ends it as what the harness could not tell. */
  onDiskTrouble(error: Error): void;
  /** Never rejects. */
  close(): Promise<void>;
}

export function openRecords(directory: string, onEvent: (event: HarnessEvent) => void): AttemptRecords {
  let inTrouble = false;
  const onDiskTrouble = ({ message }: Error): void => {
    if (inTrouble) return;
    inTrouble = true;
    emit({
      source: 'run',
      type: 'infrastructure',
      code: 'disk',
      message: `${directory} cannot be written: ${message}`,
      retryable: true,
    });
  };
  const log = openEventLog(join(directory, caseFiles.events), onEvent, onDiskTrouble);
  const { emit, events, now } = log;
  const logs = openRawLogs(directory, onDiskTrouble);
  const console = createConsole((line) => emit({ source: 'serial', type: 'line', ...line }));
  const pause = setTimeout(console.pause, pauseMs);

  let serialBytes = 0;
  let afterConsole: Promise<void> = Promise.resolve();
  return {
    emit,
    events,
    now,
    onDiskTrouble,
    emitAfterConsole(event) {
      afterConsole = afterConsole.then(async () => {
        await nextTurn();
        await nextTurn();
        emit(event);
      });
    },
    serialBytes: () => serialBytes,
    serial(chunk) {
      serialBytes += chunk.length;
      logs.serial(chunk);
      console.push(chunk);
      pause.refresh();
    },
    stderr(chunk) {
      logs.stderr(chunk);
      emit({ source: 'vm', type: 'stderr', text: chunk.toString('utf8').trimEnd() });
    },
    endConsole: console.end,
    async close() {
      await logs.close(console.transcript());
      clearTimeout(pause);
      log.close();
    },
  };
}
