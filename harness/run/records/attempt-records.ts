import { join } from 'node:path';
import { boundReached } from '../../model/bounds.ts';
import { HarnessError, isRetryable } from '../../model/errors.ts';
import type { EventSink, HarnessEvent } from '../../model/events.ts';
import { createGuard } from '../../wire/guard.ts';
import type { CaseClock } from './case-clock.ts';
import { caseFiles } from './case-directory.ts';
import { openEventLog } from './event-log.ts';
import { openRawLogs } from './raw-logs.ts';
import { createSerialLog, type SerialLog } from './serial-log.ts';

/** What an attempt leaves in its directory while it runs: the event log, the raw bytes, the rendered console. */
export interface AttemptRecords {
  readonly emit: EventSink;
  /** QMP overtakes the serial port: what the guest printed before a QMP event is read and recorded first. */
  readonly emitAfterConsole: EventSink;
  /** What was recorded so far. @throws HarnessError `disk` if it cannot be read. */
  events(): HarnessEvent[];
  /** Milliseconds since the attempt began, monotonic. */
  now(): number;
  readonly clock: CaseClock;
  readonly serial: Pick<SerialLog, 'read' | 'take' | 'caughtUp' | 'bytes' | 'end'>;
  stderr(chunk: Buffer): void;
  /** The guest is gone, and another one follows: what it said is recorded, and the next one's console is empty. */
  startAfresh(): Promise<void>;
  /** Without its records a case proves nothing: ends it as an error of the harness. */
  onDiskTrouble(error: Error): void;
  /** Something could not be closed or removed; that is the disk's fault only where it is full or failing. */
  onCloseTrouble(error: Error): void;
  /** Never rejects. */
  close(): Promise<void>;
}

/** No space, no quota, read-only, or broken; anything else is about one file. */
const diskErrors: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'disk'];

const isOfDisk = (error: Error & { code?: unknown }): boolean => diskErrors.includes(error.code);

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
  const onCloseTrouble = (error: Error): void => {
    if (isOfDisk(error)) {
      onDiskTrouble(error);
      return;
    }
    const code = error instanceof HarnessError ? error.code : 'internal';
    const message = `What was opened for the case could not be closed: ${error.message}`;
    emit({ source: 'run', type: 'infrastructure', code, message, retryable: isRetryable(error) });
  };
  const log = openEventLog(join(directory, caseFiles.events), onEvent, onDiskTrouble);
  const { emit, read: events, now, clock } = log;
  const logs = openRawLogs(directory, onDiskTrouble);
  const serial = createSerialLog({ raw: logs.serial, emit, guard: createGuard(emit) });

  let stderrCut = false;
  function stderr(chunk: Buffer): void {
    if (stderrCut) return;
    const taken = logs.stderr(chunk);
    if (taken.length > 0) emit({ source: 'vm', type: 'stderr', text: taken.toString('utf8').trimEnd() });
    if (taken.length === chunk.length) return;
    stderrCut = true;
    emit(boundReached('stderrBytes'));
  }

  let afterConsole: Promise<void> = Promise.resolve();
  return {
    emit,
    events,
    now,
    clock,
    onDiskTrouble,
    onCloseTrouble,
    emitAfterConsole(event) {
      afterConsole = afterConsole.then(async () => {
        await serial.caughtUp();
        emit(event);
      });
    },
    serial,
    stderr,
    async startAfresh() {
      await afterConsole;
      serial.restart();
    },
    async close() {
      serial.end();
      await logs.close(serial.transcript());
      log.close();
    },
  };
}
