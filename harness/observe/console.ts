import { createSerialDecoder } from '../model/serial-text.ts';
import { createControlParser } from './console/control-parser.ts';
import { createScreen, type ShownLine } from './console/screen.ts';

export interface ConsoleLine extends ShownLine {
  /** Bytes read from the serial port when the line looked like this. */
  offset: number;
}

/** A serial console as rendered by a terminal: cursor addressing, wrapping and erasing applied. */
export interface SerialConsole {
  push(chunk: Buffer): void;
  /** No input for a while: reports the cursor's line as it is. */
  pause(): void;
  /** Nothing more will come. */
  end(): void;
  /** How many lines have left the screen, blank ones included. */
  readonly goneLines: number;
  /** Lines in the order in which they left the screen (scrolled, deleted or cleared), then those still on it. */
  transcript(): string[];
}

/**
 * `onLine` is called with each whole line when the cursor leaves it, and again if more is printed there. Blank lines are
 * left out. The same bytes make the same calls, however they are split into chunks.
 */
export function createConsole(onLine: (line: ConsoleLine) => void): SerialConsole {
  let offset = 0;
  const screen = createScreen((line) => onLine({ offset, ...line }));
  const decoder = createSerialDecoder();
  const parse = createControlParser(screen);
  const apply = (text: string): void => {
    for (let at = 0; at < text.length; at++) parse(text[at] as string);
  };

  return {
    push(chunk) {
      for (const byte of chunk) {
        apply(decoder.push(byte));
        offset++;
      }
    },
    pause: screen.pause,
    end() {
      apply(decoder.end());
      screen.pause();
    },
    get goneLines() {
      return screen.goneLines();
    },
    transcript: screen.transcript,
  };
}
