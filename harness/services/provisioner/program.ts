import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import { HarnessError } from '../../model/errors.ts';
import type { PlannedProvisioner } from '../../model/provisioner.ts';
import { systemPath } from './isolation.ts';
import { splitLines } from './lines.ts';
import { type Namespace, signalGroup } from './namespace.ts';
import type { ServerRecord } from './record.ts';

interface ProgramExit {
  exitCode: number | null;
  signal: string | null;
  byHarness: boolean;
}

export interface RunningProgram {
  readonly name: string;
  readonly exited: Promise<ProgramExit>;
  /** Set once it has exited. */
  readonly exit: ProgramExit | undefined;
  onLine(listener: (line: string) => void): void;
  lastWords(): string;
  /** Asks it to end, and resolves when it has, or would not. */
  stop(): Promise<void>;
}

export interface ProgramStart {
  program: PlannedProvisioner['programs'][number];
  namespace: Namespace;
  record: Pick<ServerRecord, 'emit' | 'printed' | 'ended'>;
}

const keptLines = 5;
const stopsWithinMs = 2_000;
const outputWithinMs = 200;

/** Its lines as they come, for signs that it is ready, and the last of them. */
function followLines() {
  const listeners: ((line: string) => void)[] = [];
  const last: string[] = [];
  const lines = splitLines((line) => {
    if (line.trim() !== '') last.push(line);
    if (last.length > keptLines) last.shift();
    for (const listener of listeners) listener(line);
  });
  return { ...lines, listeners, last };
}

/** Starts a program in the namespace, in its own process group so that one signal reaches all of it. */
export function startProgram(start: ProgramStart): RunningProgram {
  const { program, namespace, record } = start;
  const { name, argv, env, cwd } = program;
  const { file, args } = namespace.enter(argv[0] as string, argv.slice(1));
  record.emit({ source: 'provisioner', type: 'started', program: name, argv: [...argv] });
  const child = execa(file, args, {
    cwd,
    env: { PATH: systemPath(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    buffer: false,
    reject: false,
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new HarnessError('provisioner-failed', `${name} could not be started in ${cwd}`);
  const lines = followLines();
  const read = (stream: Readable): void => {
    stream.on('data', (chunk: Buffer) => {
      record.printed(name, chunk);
      lines.push(chunk);
    });
  };
  read(child.stdout);
  read(child.stderr);
  let byHarness = false;
  let exit: ProgramExit | undefined;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exited = new Promise<ProgramExit>((resolve) => {
    child.once('exit', async (exitCode, signal) => {
      // Its last words are read first; what it leaves running may keep its output open.
      await Promise.race([closed, wait(outputWithinMs)]);
      lines.flush();
      const written = record.ended(name);
      exit = { exitCode, signal, byHarness };
      record.emit({ source: 'provisioner', type: 'exited', program: name, ...exit });
      await written;
      resolve(exit);
    });
  });
  return {
    name,
    exited,
    get exit() {
      return exit;
    },
    onLine: (listener) => void lines.listeners.push(listener),
    lastWords: () => lines.last.join('\n'),
    async stop() {
      if (exit !== undefined) return;
      byHarness = true;
      if (!signalGroup(pid, program.stop)) return;
      await Promise.race([exited, wait(stopsWithinMs, undefined, { ref: false })]);
    },
  };
}
