import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { boundReached, type RecordBound, recordBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import { createConsole, type SerialConsole } from '../../observe/console.ts';
import { boundText } from '../../observe/machine-rules.ts';
import type { Guard } from '../../wire/guard.ts';
import { readInTurns, type TurnReader } from '../../wire/in-turns.ts';

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
  /** For the next boot of the machine: an empty console. */
  restart(): void;
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
  let bytes = 0;
  const earlier: SerialConsole[] = [];
  /** Lines are placed by their offset in all that was read. */
  const openConsole = (): SerialConsole => {
    const before = bytes;
    return createConsole(({ offset, ...line }) =>
      emit({ source: 'serial', type: 'line', offset: before + offset, ...line }),
    );
  };
  let console = openConsole();
  const startPause = () => setTimeout(guard('the console', console.pause), pauseMs);
  let pause = startPause();
  let full: RecordBound | undefined;
  let written: Promise<void> | undefined;
  let reader: TurnReader | undefined;

  const goneLines = (): number => [...earlier, console].reduce((sum, one) => sum + one.goneLines, 0);
  const shown = (): string[] => [...earlier, console].flatMap((one) => one.transcript());

  function record(chunk: Buffer): void {
    bytes += chunk.length;
    written = raw(chunk);
    console.push(chunk);
    pause.refresh();
    if (bytes === recordBounds.serialBytes) full = 'serialBytes';
    else if (goneLines() >= recordBounds.consoleLines) full = 'consoleLines';
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
      // A guest's starts paused.
      port.resume();
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
    restart() {
      earlier.push(console);
      console = openConsole();
      clearTimeout(pause);
      pause = startPause();
    },
    end() {
      reader?.flush();
      clearTimeout(pause);
      console.end();
    },
    transcript() {
      if (!full) return shown();
      const reason = boundText({ what: full, limit: recordBounds[full] });
      return [...shown(), `[the harness stopped reading here: ${reason}]`];
    },
  };
}
