import type { Readable } from 'node:stream';
import { boundReached, type RecordBound, recordBounds } from '../model/bounds.ts';
import type { EventSink } from '../model/events.ts';
import { createConsole } from '../observe/console.ts';
import { boundText } from '../observe/machine-rules.ts';
import type { Guard } from '../wire/guard.ts';

/** A serial port that is silent for so long has paused: the line it is in is recorded as it stands. */
const pauseMs = 100;

export interface SerialLog {
  /** Reads a port for as long as its records take what it sends; `follow` is called with each chunk. */
  read(port: Readable, follow?: (chunk: Buffer) => void): void;
  /** Bytes so far. */
  bytes(): number;
  /** Resolves once nothing that was read waits for the disk. */
  caughtUp(): Promise<void>;
  /** Nothing more is read: what the console still holds is recorded. */
  end(): void;
  /** What console.txt is; its last line says where the bound was. */
  transcript(): string[];
}

interface SerialSinks {
  /** Writes the raw bytes; a promise where the disk is behind. */
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
    bytes: () => bytes,
    read(port, follow) {
      const receive = (chunk: Buffer): void => {
        if (full) return;
        const taken = chunk.subarray(0, recordBounds.serialBytes - bytes);
        record(taken);
        follow?.(taken);
        if (!full && !written) return;
        // A guest waits for a port that is not read from.
        port.pause();
        written?.then(() => {
          written = undefined;
          if (!full) port.resume();
        });
      };
      port.on('data', guard('the serial port', receive));
    },
    async caughtUp() {
      while (written) await written;
    },
    end() {
      clearTimeout(pause);
      console.end();
    },
    transcript() {
      if (!full) return console.transcript();
      const reason = boundText({ what: full, limit: recordBounds[full] });
      return [...console.transcript(), `[the harness read no further: ${reason}]`];
    },
  };
}
