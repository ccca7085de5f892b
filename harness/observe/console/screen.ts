import { screenSize } from '../../model/console-screen.ts';
import { createTranscript, type Line, type Row, textOf } from './transcript.ts';

const { cols, rows: height } = screenSize;

/** A line of more rows is reported in pieces, so that each is still wholly on the screen. */
const maxRowsPerLine = 20;
const maxAboveLength = 4 * cols;

/** A line as reported. */
export interface ShownLine {
  text: string;
  open?: true;
  above?: string;
}

const newLine = (): Line => ({ shown: '', open: false, rowCount: 1, above: '' });
const newRow = (line = newLine()): Row => ({ text: '', line, filled: false });
const clamp = (value: number, most: number): number => Math.max(0, Math.min(value, most));

export type Screen = ReturnType<typeof createScreen>;

/**
 * A character screen with the controls of ECMA-48. A line is reported through `onLine` before the cursor leaves it, and
 * so before anything can overwrite or erase it; `open` if the cursor is still on it, `above` if the row above is filled
 * to its last column, since SeaBIOS breaks text there, even within words. Reports do not depend on how the input is split
 * into chunks. Rows and columns count from 0.
 */
export function createScreen(onLine: (line: ShownLine) => void) {
  const rows = Array.from({ length: height }, () => newRow());
  const gone = createTranscript();
  let [x, y] = [0, 0];
  /** Pending wrap: the next character goes to the next row. */
  let wrapPending = false;
  let [top, bottom] = [0, height - 1];
  let saved = { x: 0, y: 0 };
  /** The cursor's line was printed on since it was last reported. */
  let fresh = false;

  const current = (): Row => rows[y] as Row;

  function currentText(): string {
    const { line } = current();
    if (line.rowCount === 1) return textOf(current());
    const own = rows.filter((row) => row.line === line).map(textOf);
    return own
      .map((text, index) => (index < own.length - 1 ? text.padEnd(cols) : text))
      .join('')
      .trimEnd();
  }

  function textAbove(line: Line): string {
    const before = rows[rows.findIndex((row) => row.line === line) - 1];
    if (!before?.filled) return '';
    const own = rows.filter((row) => row.line === before.line).map(({ text }) => text.padEnd(cols));
    return (before.line.above + own.join('')).slice(-maxAboveLength);
  }

  function show(open: boolean): void {
    const { line } = current();
    const closes = line.open && !open;
    if (!fresh && !closes) return;
    fresh = false;
    const text = currentText();
    if (text === '' || (text === line.shown && !closes)) return;
    line.shown = text;
    line.open = open;
    line.above = textAbove(line);
    onLine({ text, ...(open && ({ open } as const)), ...(line.above && { above: line.above }) });
  }

  /** Reports the cursor's line before the cursor leaves it. */
  const leave = (): void => show(false);

  /** Clears whole rows; blank ones below all text are dropped. */
  function clear(from: number, to: number): void {
    const cleared = rows.slice(from, to + 1);
    const text = cleared.findLastIndex((row) => textOf(row) !== '');
    for (const row of cleared.slice(0, text + 1)) gone.add(row);
    for (let row = from; row <= to; row++) rows[row] = newRow();
  }

  /** Replaces the cursor's row from column `from` to `to`. */
  function replace(from: number, to: number, text: string): void {
    const row = current();
    row.text = (row.text.slice(0, from).padEnd(from) + text + row.text.slice(to)).slice(0, cols);
  }
  const blank = (from: number, to: number): void => {
    replace(from, to, ' '.repeat(Math.max(0, Math.min(to, cols) - from)));
    if (from < cols && to >= cols) current().filled = false;
  };

  /** Removes rows at `from` and inserts blank ones at `to`, one by one. */
  function shift(count: number, from: number, to: number, line?: Line): void {
    const towards = Math.sign(to - from);
    for (let left = Math.min(count, height); left > 0; left--) {
      gone.add(rows[from] as Row);
      for (let at = from; at !== to; at += towards) rows[at] = rows[at + towards] as Row;
      rows[to] = newRow(line);
    }
  }

  function moveTo(column: number, row: number): void {
    const staysBehind = row === y && column >= x && !wrapPending;
    if (!staysBehind) leave();
    x = clamp(column, cols - 1);
    y = clamp(row, height - 1);
    wrapPending = false;
  }

  function moveDown(line?: Line): void {
    if (y === bottom) shift(1, top, bottom, line);
    else if (y < height - 1) {
      y++;
      if (line !== undefined) current().line = line;
    }
  }

  function wrap(): void {
    const { line } = current();
    const isFull = line.rowCount === maxRowsPerLine || (y === bottom && rows[top]?.line === line);
    if (isFull) leave();
    else line.rowCount++;
    moveDown(isFull ? newLine() : line);
    x = 0;
    wrapPending = false;
  }

  /** Splits rows from the cursor's on off the line above. */
  function cutLine(): void {
    const { line } = current();
    if (rows[y - 1]?.line !== line) return;
    const rest = newLine();
    for (let row = y; rows[row]?.line === line; row++) (rows[row] as Row).line = rest;
  }

  const inRegion = (): boolean => y >= top && y <= bottom;
  /** Where erasing begins: past the last column with a wrap pending. */
  const eraseFrom = (): number => (wrapPending ? cols : x);

  return {
    cursor: (): { x: number; y: number } => ({ x, y }),
    print(char: string): void {
      if (wrapPending) wrap();
      if (char !== ' ') fresh = true;
      const row = current();
      if (x === row.text.length) row.text += char;
      else replace(x, x + 1, char);
      if (x < cols - 1) x++;
      else {
        row.filled = true;
        wrapPending = true;
      }
    },
    moveTo,
    /** The scroll region confines a cursor that is inside it. */
    moveBy(columns: number, lines: number): void {
      const [least, most] = [y >= top ? top : 0, y <= bottom ? bottom : height - 1];
      moveTo(x + columns, lines === 0 ? y : Math.max(least, Math.min(y + lines, most)));
    },
    tab(): void {
      if (!wrapPending) x = Math.min(cols - 1, (x + 8) & ~7);
    },
    backTab(): void {
      if (!wrapPending) moveTo(x === 0 ? 0 : (x - 1) & ~7, y);
    },
    lineFeed(): void {
      leave();
      moveDown();
      cutLine();
      wrapPending = false;
    },
    reverseLineFeed(): void {
      leave();
      if (y === top) shift(1, bottom, top);
      else if (y > 0) y--;
      wrapPending = false;
    },
    saveCursor(): void {
      saved = { x, y };
    },
    restoreCursor: (): void => moveTo(saved.x, saved.y),
    /** ED: 0 from the cursor on, 1 up to the cursor, 2 all. */
    eraseDisplay(mode: number): void {
      leave();
      if (mode === 2) clear(0, height - 1);
      if (mode === 1) {
        if (y > 0) clear(0, y - 1);
        blank(0, x + 1);
      }
      if (mode !== 0) return;
      const isWhole = eraseFrom() === 0;
      if (!isWhole) blank(eraseFrom(), cols);
      clear(isWhole ? y : y + 1, height - 1);
    },
    /** EL: 0 from the cursor on, 1 up to the cursor, 2 all. */
    eraseLine(mode: number): void {
      if (mode !== 0) leave();
      blank(mode === 0 ? eraseFrom() : 0, mode === 1 ? x + 1 : cols);
    },
    eraseCharacters(count: number): void {
      wrapPending = false;
      blank(x, x + count);
    },
    insertCharacters(count: number): void {
      wrapPending = false;
      replace(x, x, ' '.repeat(Math.min(count, cols - x)));
    },
    deleteCharacters(count: number): void {
      wrapPending = false;
      replace(x, x + count, '');
      current().filled = false;
    },
    insertLines(count: number): void {
      if (!inRegion()) return;
      leave();
      shift(Math.min(count, bottom - y + 1), bottom, y);
      moveTo(0, y);
    },
    deleteLines(count: number): void {
      if (!inRegion()) return;
      leave();
      shift(Math.min(count, bottom - y + 1), y, bottom);
      moveTo(0, y);
    },
    scrollUp(count: number): void {
      leave();
      shift(count, top, bottom);
    },
    scrollDown(count: number): void {
      leave();
      shift(count, bottom, top);
    },
    scrollRegion(first: number, last: number): void {
      const [from, to] = [clamp(first, height - 1), clamp(last, height - 1)];
      if (from >= to) return;
      [top, bottom] = [from, to];
      moveTo(0, 0);
    },
    reset(): void {
      leave();
      clear(0, height - 1);
      [x, y] = [0, 0];
      [top, bottom] = [0, height - 1];
      saved = { x: 0, y: 0 };
      wrapPending = false;
    },
    /** No input for a while: reports the cursor's line, which may still continue. */
    pause: (): void => show(true),
    /** The current screen, without trailing blanks. */
    text: (): string[] => rows.map(textOf),
    goneLines: (): number => gone.lines.length,
    /** Lines in the order in which they left the screen (scrolled, deleted or cleared), then those still on it. */
    transcript(): string[] {
      const all = gone.copy();
      for (const row of rows) all.add(row);
      return all.lines.slice(0, all.lines.findLastIndex((text) => text !== '') + 1);
    },
  };
}
