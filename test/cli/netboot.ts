import type { CliIo } from '../../harness/cli/io.ts';
import { runProgram } from '../../harness/cli/program.ts';

interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** The outside world of a command line, and what it has written there. */
export function recordingIo(env: NodeJS.ProcessEnv = {}): { io: CliIo; written: Record<'out' | 'err', string> } {
  const written = { out: '', err: '' };
  const into = (name: 'out' | 'err') => ({
    write(text: string | Buffer) {
      written[name] += String(text);
    },
  });
  const { signal } = new AbortController();
  return {
    io: { stdout: into('out'), stderr: into('err'), stdin: process.stdin, env, command: 'netboot', signal },
    written,
  };
}

/** The command line in this process, with streams and an environment of its own. */
export const netboot = (...argv: string[]): Promise<Outcome> => netbootWith({}, ...argv);

export async function netbootWith(env: NodeJS.ProcessEnv, ...argv: string[]): Promise<Outcome> {
  const { io, written } = recordingIo(env);
  return { code: await runProgram(argv, io), ...written };
}
