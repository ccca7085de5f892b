import type { CliIo } from '../../harness/cli/io.ts';
import { runProgram } from '../../harness/cli/program.ts';

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** The command line in this process, with a cache folder of its own unless `env` names one. */
export async function netboot(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  const written = { out: '', err: '' };
  const into = (name: 'out' | 'err') => ({
    write(text: string | Buffer) {
      written[name] += String(text);
    },
  });
  const io: CliIo = {
    stdout: into('out'),
    stderr: into('err'),
    stdin: process.stdin,
    env: { ...process.env, ...env },
    signal: new AbortController().signal,
  };
  return { code: await runProgram(argv, io), ...written };
}
