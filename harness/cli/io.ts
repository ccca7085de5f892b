import type { ConsoleOutput } from '../report/console-output.ts';

/** A stream the command line writes to: what it needs of `process.stdout`. */
export interface OutputStream {
  write(text: string | Buffer): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

/** Everything the command line has of the outside; tests give it their own. */
export interface CliIo {
  stdout: OutputStream;
  stderr: OutputStream;
  stdin: NodeJS.ReadStream;
  env: NodeJS.ProcessEnv;
  /** What starts this program from where the user is, as a shell takes it. */
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
    // Asked anew each time: windows are resized.
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
    colour: isDrawable(stream, env) && !noColor,
  };
}

export function writeLines(stream: OutputStream, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(`${lines.join('\n')}\n`);
}

export function writeJson(stream: OutputStream, value: unknown): void {
  stream.write(`${JSON.stringify(value, null, 2)}\n`);
}
