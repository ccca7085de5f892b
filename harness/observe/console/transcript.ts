import { screenSize } from '../../model/console-screen.ts';

/** A line as it was printed: one row, or several where it wrapped. */
export interface Line {
  /** The text last reported, and whether the line could still continue then. */
  shown: string;
  open: boolean;
  rowCount: number;
  /** The text above that may continue in it, when it was last reported. */
  above: string;
}

export interface Row {
  /** One UTF-16 code unit per cell, so an emoji takes two; beyond the end is blank. */
  text: string;
  line: Line;
  /** The last column was printed to. */
  filled: boolean;
}

export const textOf = ({ text }: Row): string => text.trimEnd();

/** The lines that have left the screen, in the order in which they left it. */
interface Transcript {
  readonly lines: string[];
  /** Joins consecutive rows of one line. */
  add(row: Row): void;
  copy(): Transcript;
}

export function createTranscript(lines: string[] = [], last?: { line: Line; rows: number }): Transcript {
  let latest = last;
  return {
    lines,
    add(row) {
      const text = textOf(row);
      const rows = latest?.line === row.line ? latest.rows : 0;
      latest = { line: row.line, rows: rows + 1 };
      if (rows === 0) lines.push(text);
      else if (text !== '') lines.push((lines.pop() ?? '').padEnd(rows * screenSize.cols) + text);
    },
    copy: () => createTranscript([...lines], latest),
  };
}
