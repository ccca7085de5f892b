import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { boundReached, type RecordBound, recordBounds } from '../model/bounds.ts';
import type { EventSink } from '../model/events.ts';
import { createConsole } from '../observe/console.ts';
import { boundText } from '../observe/machine-rules.ts';
import type { Guard } from '../wire/guard.ts';
import { readInTurns, type TurnReader } from '../wire/in-turns.ts';

/** After this much silence an unfinished line is recorded as it stands. */
const pauseMs = 100;

export interface SerialLog {
  /** Reads a port until its records are full; calls `follow` with each chunk. */
  read(port: Readable, follow?: (chunk: Buffer) => void): void;
  /** Records output that was read elsewhere. */
  take(chunk: Buffer): void;
  /** Bytes so far. */
  bytes(): number;
  /** Resolves once all that the guest has sent so far is read and written. */
  caughtUp(): Promise<void>;
  /** Stops reading, and records what the console still holds. */
  end(): void;
  /** The content of console.txt; its last line says if a bound was reached. */
  transcript(): string[];
}

interface SerialSinks {
  /** Writes the raw bytes; returns a promise if the disk is behind. */
  raw(chunk: Buffer): Promise<void> | undefined;
  readonly emit: EventSink;
  readonly guard: Guard;
}

export function createSerialLog({ raw, emit, guard }: SerialSinks): SerialLog {
  const console = createConsole((line) => emit({ source: 'serial', type: 'line', ...line }));
  const pause = setTimeout(guard('the console', console.pause), pauseMs);
  let bytes = 0;
  let full: RecordBound | undefined;
  let written: Promise<void> | undefined;
  let reader: TurnReader | undefined;

  function record(chunk: Buffer): void {
    bytes += chunk.length;
    written = raw(chunk);
    console.push(chunk);
    pause.refresh();
    if (bytes === recordBounds.serialBytes) full = 'serialBytes';
    else if (console.goneLines >= recordBounds.consoleLines) full = 'consoleLines';
    if (full) emit(boundReached(full));
  }

  return {
    take: record,
    bytes: () => bytes,
    read(port, follow) {
      const receive = (chunk: Buffer): void => {
        if (full) return;
        const taken = chunk.subarray(0, recordBounds.serialBytes - bytes);
        record(taken);
        follow?.(taken);
        if (!full && !written) return;
        // A guest blocks on a port that is not read.
        reader?.pause();
        written?.then(() => {
          written = undefined;
          if (!full) reader?.resume();
        });
      };
      reader = readInTurns(port, guard('the serial port', receive));
    },
    async caughtUp() {
      for (let before = -1; before !== bytes; ) {
        before = bytes;
        reader?.flush();
        while (written) await written;
        await nextTurn();
        await nextTurn();
      }
    },
    end() {
      reader?.flush();
      clearTimeout(pause);
      console.end();
    },
    transcript() {
      if (!full) return console.transcript();
      const reason = boundText({ what: full, limit: recordBounds[full] });
      return [...console.transcript(), `[the harness stopped reading here: ${reason}]`];
    },
  };
}
