import { fileURLToPath } from 'node:url';

/** The checkout's root, without a trailing slash. */
export const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
export const inCheckout = (...parts) => [checkout, ...parts].join('/');
export const cacheFolder = inCheckout('.cache');

/** Set-up prints to stderr only: stdout belongs to the command it prepares. */
export const say = (line) => process.stderr.write(`${line}\n`);

/** Ends the script with an exit code and one explanation. */
export class SetUpError extends Error {
  constructor(message, exitCode = 3) {
    super(message);
    this.name = 'SetUpError';
    this.exitCode = exitCode;
  }
}

/** Runs a script's body; a SetUpError, or the harness's own error, becomes its message and exit code, without a stack trace. */
export async function runScript(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof SetUpError) && error.name !== 'HarnessError') throw error;
    say(error.message);
    if (error.hint !== undefined) say(`hint: ${error.hint}`);
    process.exitCode = error.exitCode ?? 3;
  }
}
