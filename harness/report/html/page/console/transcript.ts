import { screenSize } from '../../../../model/console-screen.ts';
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

const esc = '\u001b';
/** Control sequences that erase rows (ECMA-48 ED, RIS): what stands there is read first. */
const erasing = new RegExp(`(?=${esc}\\[[0-3]?J|${esc}c)`);
const eraseScrollback = `${esc}[3J`;

/** Written at once; fewer rows than the terminal remembers, whatever it is. */
const batchChars = 16_384;

/** Pieces of output that begin where something is erased, and are short. */
function* piecesOf(chunks: readonly ConsoleChunk[]): Generator<ConsoleChunk> {
  for (const [tMs, text] of chunks) {
    for (const part of text.split(erasing)) {
      for (let at = 0; at < part.length; at += batchChars) yield [tMs, part.slice(at, at + batchChars)];
    }
  }
}

/** Boxes and bars are drawn to the last column; they are no text that goes on in the next row. */
const isText = (run: Run | undefined): boolean =>
  run !== undefined && isPlain(run) && !/[\u2500-\u259f]$/.test(run.text);

function withoutBlankEnds(lines: TranscriptLine[]): TranscriptLine[] {
  const first = lines.findIndex(({ text }) => text.trim() !== '');
  return first === -1 ? [] : lines.slice(first, lines.findLastIndex(({ text }) => text.trim() !== '') + 1);
}

/** A terminal whose rows are read before they are gone. */
function createReader() {
  const terminal = openTerminal();
  const screens: Screen[] = [];
  let lines: TranscriptLine[] = [];
  /** First row that is not in `lines` yet; rows count from the top of what the terminal remembers. */
  let kept = 0;
  /** First row that could still change when rows were last looked at. */
  let live = 0;
  /** What rows last held, and since when. */
  let came = new Map<number, { text: string; tMs: number }>();

  const buffer = () => terminal.buffer.active;

  /** Notes when rows came to hold what they hold. */
  function scan(tMs: number): void {
    const { length, baseY } = buffer();
    for (let row = Math.min(live, baseY); row < length; row++) {
      const text = buffer().getLine(row)?.translateToString(true).trimEnd() ?? '';
      const known = came.get(row);
      if (text === '' || text === known?.text) continue;
      came.set(row, { text, tMs: known !== undefined && text.startsWith(known.text) ? known.tMs : tMs });
    }
    live = Math.max(0, baseY - screenSize.rows);
  }

  function take(row: number, nowMs: number): void {
    const line = buffer().getLine(row);
    if (!line) return;
    const runs = runsOf(line, buffer().getLine(row + 1)?.isWrapped);
    const text = runs.map((run) => run.text).join('');
    const above = lines.at(-1);
    if (line.isWrapped && above && isText(above.runs.at(-1))) {
      above.runs.push(...runs);
      above.text += text;
    } else lines.push({ runs, text, tMs: came.get(row)?.tMs ?? above?.tMs ?? nowMs });
  }

  function takeUntil(end: number, nowMs: number): void {
    for (; kept < end; kept++) take(kept, nowMs);
  }

  /** Rows that are erased in place are lines of their own, unless they are blank; what comes there then is new. */
  function takeErased(from: number, end: number, nowMs: number): void {
    for (let row = Math.max(from, kept); row < end; row++) {
      if (came.has(row)) take(row, nowMs);
      came.delete(row);
    }
  }

  function endScreen(): void {
    const screen = withoutBlankEnds(lines);
    if (screen.length > 0) screens.push(screen);
    lines = [];
  }

  /** Rows that the terminal has forgotten are not counted any more. */
  function renumber(forgotten: number): void {
    came = new Map([...came].flatMap(([row, one]) => (row < forgotten ? [] : [[row - forgotten, one]])));
    kept = Math.max(0, kept - forgotten);
    live = Math.max(0, live - forgotten);
  }

  /** Reads what a sequence is about to erase. */
  function beforeErasing(sequence: string, tMs: number): void {
    scan(tMs);
    const { baseY, cursorX, cursorY, length } = buffer();
    const mode = sequence.startsWith(`${esc}c`) ? 'reset' : (/\d/.exec(sequence.slice(2, 3))?.[0] ?? '0');
    const isWhole = mode === 'reset' || mode === '2' || (mode === '0' && cursorX === 0 && cursorY === 0);
    if (isWhole) {
      takeUntil(length, tMs);
      endScreen();
      kept = baseY;
      for (const row of [...came.keys()]) if (row >= baseY) came.delete(row);
    } else if (mode === '3') takeUntil(baseY, tMs);
    else if (mode === '0') takeErased(baseY + cursorY + 1, length, tMs);
    else takeErased(baseY, baseY + cursorY, tMs);
    if (mode === '3' || mode === 'reset') renumber(baseY);
  }

  const write = (text: string, then: () => void): Promise<void> =>
    new Promise((resolve) => {
      terminal.write(text, () => {
        then();
        resolve();
      });
    });

  return {
    /** Writes a piece; the terminal takes it later, in order. */
    push([tMs, text]: ConsoleChunk): Promise<void> {
      if (text.search(erasing) === 0) terminal.write('', () => beforeErasing(text, tMs));
      return write(text, () => scan(tMs));
    },
    /** Takes rows that have scrolled out, before the terminal forgets them. */
    async forget(nowMs: number): Promise<void> {
      const { baseY } = buffer();
      takeUntil(baseY, nowMs);
      await write(eraseScrollback, () => renumber(baseY));
    },
    end(nowMs: number): Screen[] {
      takeUntil(buffer().length, nowMs);
      endScreen();
      terminal.dispose();
      return screens;
    },
  };
}

/** Renders what a serial port sent; a screen for each time the guest cleared what was on it. */
export async function renderTranscript(chunks: readonly ConsoleChunk[]): Promise<Screen[]> {
  const reader = createReader();
  let written: Promise<void> = Promise.resolve();
  let chars = 0;
  for (const piece of piecesOf(chunks)) {
    written = reader.push(piece);
    chars += piece[1].length;
    if (chars < batchChars) continue;
    chars = 0;
    await written;
    await reader.forget(piece[0]);
  }
  await written;
  return reader.end(chunks.at(-1)?.[0] ?? 0);
}
