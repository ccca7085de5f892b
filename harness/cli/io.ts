import type { ConsoleOutput } from '../report/console-output.ts';
import { printable } from '../report/printable.ts';

/** An output stream: the subset of `process.stdout` that is used. */
export interface OutputStream {
  write(text: string | Buffer): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

/** All of the outside world that the command line uses; tests supply their own. */
export interface CliIo {
  stdout: OutputStream;
  stderr: OutputStream;
  stdin: NodeJS.ReadStream;
  env: NodeJS.ProcessEnv;
  /** The shell command that starts this program from the current folder. */
  command: string;
  /** Aborts on SIGINT and SIGTERM. */
  signal: AbortSignal;
}

/** Whether a stream is a terminal that may be drawn on (https://no-color.org, and `TERM=dumb`). */
export function isDrawable(stream: OutputStream, env: NodeJS.ProcessEnv): boolean {
  const { TERM: term, CI: ci } = env;
  return stream.isTTY === true && term !== 'dumb' && !ci;
}

export function consoleOutput(stream: OutputStream, env: NodeJS.ProcessEnv): ConsoleOutput {
  const { NO_COLOR: noColor } = env;
  return {
    write: (text) => void stream.write(text),
    // Read each time: windows are resized.
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
    colour: isDrawable(stream, env) && !noColor,
  };
}

/** One line each. Matrices, records and guests are untrusted: nothing in them moves a terminal's cursor or begins a line. */
export function writeLines(stream: OutputStream, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.map(printable).join('\n')}\n`);
}

export function writeJson(stream: OutputStream, value: unknown): void {
  stream.write(`${JSON.stringify(value, null, 2)}\n`);
}
