import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { boundReached, recordBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import { splitLines } from './lines.ts';

/** What keeps what a server's programs do and print. */
export interface ServerRecord {
  readonly emit: EventSink;
  printed(program: string, output: Buffer): void;
  /** A program prints nothing more; resolves once its log is written. */
  ended(program: string): Promise<void>;
  /** Resolves once all logs are written; nothing is recorded any more. */
  close(): Promise<void>;
}

/** One program's log: a file and events, both up to a bound. */
function openLog(name: string, folder: string, emit: EventSink) {
  const file: WriteStream = createWriteStream(join(folder, `${name}.log`), { flags: 'a' }).on('error', () => {});
  let room: number = recordBounds.provisionerLogBytes;
  const lines = splitLines((text) => {
    if (room > 0) emit({ source: 'provisioner', type: 'line', program: name, text });
  });
  let written: Promise<void> | undefined;
  return {
    printed(output: Buffer): void {
      if (written !== undefined) return;
      const had = room > 0;
      file.write(output.subarray(0, Math.max(0, room)));
      lines.push(output);
      room -= output.length;
      if (had && room <= 0) emit(boundReached('provisionerLogBytes'));
    },
    close(): Promise<void> {
      if (written !== undefined) return written;
      lines.flush();
      written = finished(file.end()).catch(() => {});
      return written;
    },
  };
}

/** Keeps the logs in a folder, and hands on events. */
export function openServerRecord(folder: string, emit: EventSink): ServerRecord {
  mkdirSync(folder, { recursive: true });
  const logs = new Map<string, ReturnType<typeof openLog>>();
  let isOpen = true;
  const emitOpen: EventSink = (event) => {
    if (isOpen) emit(event);
  };
  const logOf = (program: string) => {
    const log = logs.get(program) ?? openLog(program, folder, emitOpen);
    logs.set(program, log);
    return log;
  };
  return {
    emit: emitOpen,
    printed(program, output) {
      if (isOpen) logOf(program).printed(output);
    },
    async ended(program) {
      if (isOpen) await logOf(program).close();
    },
    async close() {
      const written = [...logs.values()].map((log) => log.close());
      isOpen = false;
      await Promise.all(written);
    },
  };
}

/** Hands everything to each of `records`, which may come and go. */
export const toEach = (records: Iterable<ServerRecord>): ServerRecord => ({
  emit(event) {
    for (const record of records) record.emit(event);
  },
  printed(program, output) {
    for (const record of records) record.printed(program, output);
  },
  async ended(program) {
    await Promise.all([...records].map((record) => record.ended(program)));
  },
  async close() {
    await Promise.all([...records].map((record) => record.close()));
  },
});
