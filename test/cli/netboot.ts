import type { CliIo } from '../../harness/cli/io.ts';
import { runProgram } from '../../harness/cli/program.ts';

interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** The command line in this process, with streams and an environment of its own. */
export const netboot = (...argv: string[]): Promise<Outcome> => netbootWith({}, ...argv);

export async function netbootWith(env: NodeJS.ProcessEnv, ...argv: string[]): Promise<Outcome> {
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
    env,
    command: 'netboot',
    signal: new AbortController().signal,
  };
  return { code: await runProgram(argv, io), ...written };
}
