import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a program on this terminal and resolves with its exit code (128 + number for a signal). A keyboard interrupt
 * reaches the program directly; this process only waits for it to end.
 */
export async function runForeground(program, args, cwd) {
  const child = spawn(program, args, { cwd, stdio: 'inherit' });
  const stay = () => {};
  const forward = (signal) => child.kill(signal);
  process.on('SIGINT', stay).on('SIGTERM', forward);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    });
  } finally {
    process.off('SIGINT', stay).off('SIGTERM', forward);
  }
}
