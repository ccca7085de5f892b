#!/usr/bin/env node
import { packageRoot } from '../os/package-root.ts';
import { type CliIo, writeLines } from './io.ts';
import { ownCommand } from './own-command.ts';
import { runProgram } from './program.ts';

const interruption = new AbortController();

/** The first signal ends guests and completes records; a second one exits at once, and guests die with us. */
function onSignal(signal: NodeJS.Signals): void {
  if (interruption.signal.aborted) process.exit(130);
  writeLines(process.stderr, ['', `${signal}: ending guests and completing records; again to exit at once`]);
  interruption.abort(new Error(signal));
}
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);

for (const stream of [process.stdout, process.stderr]) {
  // EPIPE (`netboot list | head`) is no error; records go to files, not here.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const { stdout, stderr, stdin, env, argv } = process;
const command = ownCommand({ env, cwd: process.cwd(), root: packageRoot() });
const io: CliIo = { stdout, stderr, stdin, env, command, signal: interruption.signal };
// Not process.exit(): writes to pipes are asynchronous, and would be cut off.
process.exitCode = await runProgram(argv.slice(2), io);
process.off('SIGINT', onSignal);
process.off('SIGTERM', onSignal);
