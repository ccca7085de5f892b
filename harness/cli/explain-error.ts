import { CommanderError } from 'commander';
import { exitCodeOf, HarnessError } from '../model/errors.ts';
import type { ExitCode } from './exit-code.ts';
import { type CliIo, writeLines } from './io.ts';
import { asTyped } from './own-command.ts';

/** Reports an error in one message with its remedy, and returns the exit code. Stack traces only with `--debug`. */
export function explainError(error: unknown, io: CliIo, debug: boolean): ExitCode {
  // Commander has already printed it on standard error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  // Messages and stacks have lines of their own.
  const say = (...texts: string[]) =>
    writeLines(
      io.stderr,
      texts.flatMap((text) => text.split('\n')),
    );
  if (error instanceof HarnessError) {
    const { message, hint } = error;
    const texts = [`error: ${message}`, ...(hint === undefined ? [] : [`hint: ${hint}`])];
    say(...texts.map((text) => asTyped(text, io.command)), ...(debug ? stackOf(error) : []));
    return exitCodeOf(error);
  }
  if (io.signal.aborted) {
    say('interrupted');
    return 130;
  }
  const message = error instanceof Error ? error.message : String(error);
  say(`error: ${message}`, `hint: ${hintOf(error)}`, ...(debug ? stackOf(error) : []));
  return 3;
}

/** A process may have too few descriptors for anything, even for its own modules. */
function hintOf(error: unknown): string {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE'
    ? 'Allow more open files (`ulimit -n 4096`), or run fewer guests at once with --jobs.'
    : 'This is a bug in the harness; --debug shows where.';
}

function stackOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [error.stack ?? '', ...(error.cause === undefined ? [] : ['caused by:', ...stackOf(error.cause)])];
}
