import type { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';

/** Adds one command to the program; its action hands its exit code to `end`. */
export type AddCommand = (program: Command, io: CliIo, end: (code: ExitCode) => void) => void;
