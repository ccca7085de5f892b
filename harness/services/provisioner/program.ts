import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import { boundReached, recordBounds } from '../../model/bounds.ts';
import { HarnessError } from '../../model/errors.ts';
import type { EventSink } from '../../model/events.ts';
import type { PlannedProvisioner } from '../../model/provisioner.ts';
import { systemPath } from './isolation.ts';
import { type Namespace, signalGroup } from './namespace.ts';

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
  /** Where its log goes. */
  folder: string;
  emit: EventSink;
}

const keptLines = 5;
const maxLineBytes = 2_000;
const stopsWithinMs = 2_000;
const outputWithinMs = 200;

/** Splits output into lines, and hands on a line that does not end as several. */
function splitLines(onLine: (line: string) => void) {
  let begun = '';
  const flush = (): void => {
    if (begun !== '') onLine(begun.slice(0, maxLineBytes));
    begun = '';
  };
  return {
    flush,
    push(chunk: Buffer): void {
      const lines = (begun + chunk.toString('utf8')).split('\n');
      begun = lines.pop() as string;
      for (const line of lines) onLine(line.slice(0, maxLineBytes));
      if (begun.length >= maxLineBytes) flush();
    },
  };
}

/** The program's log: a file and events, both up to a bound, and its last lines. */
function openLog({ program: { name }, folder, emit }: ProgramStart) {
  const file = createWriteStream(join(folder, `${name}.log`)).on('error', () => {});
  const listeners: ((line: string) => void)[] = [];
  const last: string[] = [];
  let room: number = recordBounds.provisionerLogBytes;
  const split = splitLines((line) => {
    if (line.trim() !== '') last.push(line);
    if (last.length > keptLines) last.shift();
    for (const listener of listeners) listener(line);
    if (room > 0) emit({ source: 'provisioner', type: 'line', program: name, text: line });
  });
  return {
    listeners,
    last,
    read(stream: Readable): void {
      stream.on('data', (chunk: Buffer) => {
        const had = room > 0;
        file.write(chunk.subarray(0, Math.max(0, room)));
        split.push(chunk);
        room -= chunk.length;
        if (had && room <= 0) emit(boundReached('provisionerLogBytes'));
      });
    },
    flush: split.flush,
    close: () => finished(file.end()).catch(() => {}),
  };
}

/** Starts a program in the namespace, in its own process group so that one signal reaches all of it. */
export function startProgram(start: ProgramStart): RunningProgram {
  const { program, namespace, emit } = start;
  const { name, argv, env, cwd } = program;
  const { file, args } = namespace.enter(argv[0] as string, argv.slice(1));
  emit({ source: 'provisioner', type: 'started', program: name, argv: [...argv] });
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
  const log = openLog(start);
  log.read(child.stdout);
  log.read(child.stderr);
  let byHarness = false;
  let exit: ProgramExit | undefined;
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exited = new Promise<ProgramExit>((resolve) => {
    child.once('exit', async (exitCode, signal) => {
      // Its last words are read first; what it leaves running may keep its output open.
      await Promise.race([closed, wait(outputWithinMs)]);
      log.flush();
      exit = { exitCode, signal, byHarness };
      emit({ source: 'provisioner', type: 'exited', program: name, ...exit });
      await log.close();
      resolve(exit);
    });
  });
  return {
    name,
    exited,
    get exit() {
      return exit;
    },
    onLine: (listener) => void log.listeners.push(listener),
    lastWords: () => log.last.join('\n'),
    async stop() {
      if (exit !== undefined) return;
      byHarness = true;
      if (!signalGroup(pid, program.stop)) return;
      await Promise.race([exited, wait(stopsWithinMs, undefined, { ref: false })]);
    },
  };
}
