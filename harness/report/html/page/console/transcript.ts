import type { Terminal } from '@xterm/headless';
import { screenSize, screenWipe } from '../../../../model/console-screen.ts';
import type { ConsoleChunk } from '../../report-data.ts';
import { isPlain, type Run, runsOf } from './styled-text.ts';
import { openTerminal } from './terminal.ts';

/** A line of everything that ever stood on the console. */
export interface TranscriptLine {
  runs: Run[];
  text: string;
  /** When it came; a line that grows keeps the time of its first character. */
  tMs: number;
}

/** Lines that stood on the console until the guest cleared it. */
export type Screen = TranscriptLine[];

/** What a row last held, and since when. */
interface Came {
  text: string;
  tMs: number;
}

/** Renders what a serial port sent; a screen for each time the guest cleared what was on it. */
export async function renderTranscript(chunks: readonly ConsoleChunk[]): Promise<Screen[]> {
  const terminal = openTerminal();
  const screens: Screen[] = [];
  const came = new Map<number, Came>();
  let kept = 0;
  let live = 0;

  /** Notes when rows that can still change came to hold what they hold. */
  const scan = (tMs: number): void => {
    const { length, baseY } = terminal.buffer.active;
    for (let row = live; row < length; row++) {
      const text = terminal.buffer.active.getLine(row)?.translateToString(true).trimEnd() ?? '';
      const known = came.get(row);
      if (text === '' || text === known?.text) continue;
      came.set(row, { text, tMs: known !== undefined && text.startsWith(known.text) ? known.tMs : tMs });
    }
    live = Math.max(0, baseY - screenSize.rows);
  };
  const keepScreen = (tMs: number): void => {
    scan(tMs);
    const screen = linesFrom(terminal, kept, came, tMs);
    if (screen.length > 0) screens.push(screen);
    kept = terminal.buffer.active.baseY;
    live = kept;
    for (const row of came.keys()) if (row >= kept) came.delete(row);
  };

  let written: Promise<void> = Promise.resolve();
  for (const [tMs, text] of chunks) {
    for (const part of text.split(screenWipe)) {
      // The terminal takes its input later, in order; so does the callback before it.
      if (screenWipe.test(part)) terminal.write('', () => keepScreen(tMs));
      written = new Promise((resolve) =>
        terminal.write(part, () => {
          scan(tMs);
          resolve();
        }),
      );
    }
  }
  await written;
  const last = linesFrom(terminal, kept, came, chunks.at(-1)?.[0] ?? 0);
  terminal.dispose();
  return last.length > 0 ? [...screens, last] : screens;
}

/** Boxes and bars are drawn to the last column; they are no text that goes on in the next row. */
const isText = (run: Run | undefined): boolean =>
  run !== undefined && isPlain(run) && !/[\u2500-\u259f]$/.test(run.text);

/** Rows wrapped by the terminal belong to the line above; blank rows at either end of a screen say nothing. */
function linesFrom(terminal: Terminal, first: number, came: ReadonlyMap<number, Came>, nowMs: number): Screen {
  const buffer = terminal.buffer.active;
  const lines: TranscriptLine[] = [];
  for (let row = first; row < buffer.length; row++) {
    const line = buffer.getLine(row);
    if (!line) continue;
    const runs = runsOf(line, buffer.getLine(row + 1)?.isWrapped);
    const text = runs.map((run) => run.text).join('');
    const above = lines.at(-1);
    if (line.isWrapped && above && isText(above.runs.at(-1))) {
      above.runs.push(...runs);
      above.text += text;
    } else lines.push({ runs, text, tMs: came.get(row)?.tMs ?? lines.at(-1)?.tMs ?? nowMs });
  }
  while (lines.at(-1)?.text.trim() === '') lines.pop();
  const start = lines.findIndex(({ text }) => text.trim() !== '');
  return start === -1 ? [] : lines.slice(start);
}
