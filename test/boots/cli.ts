import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));
export const compiled = join(checkout, '.build/harness');

/** The package as it is installed: plain JavaScript, made anew where a source has changed. */
export async function compile(): Promise<void> {
  const script = "import { compile } from './scripts/setup/compile.mjs'; compile();";
  await execa(process.execPath, ['--input-type=module', '--eval', script], { cwd: checkout });
}

/** Polls, because what is waited for is another process' doing; rejects where it does not come. */
export async function until<T>(what: string, find: () => T | undefined | false, boundMs = 30_000): Promise<T> {
  const end = performance.now() + boundMs;
  for (;;) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what} did not come within ${boundMs / 1000} s`);
    await pause(25);
  }
}

interface Finished {
  exitCode: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

interface Started {
  pid: number;
  kill(signal: NodeJS.Signals): void;
  /** So far. */
  said: Readonly<Pick<Finished, 'stdout' | 'stderr'>>;
  finished: Promise<Finished>;
}

/** A folder outside the checkout, a process in it, and everything the process started or left there. */
export interface Workplace extends Disposable {
  readonly folder: string;
  /** More of what is in the environment of what is started. */
  readonly env: Record<string, string>;
  /** Starts `node` with these arguments in the folder. */
  start(...argv: string[]): Started;
  /** The same by a command in whose place it runs. */
  startBy(command: readonly [string, ...string[]], ...argv: string[]): Started;
  write(name: string, content: unknown): string;
  /** Processes of ours that are still there, whatever became of their parents: pid and command. */
  survivors(): { pid: number; command: string }[];
  /** What was left in the folder for temporary files. */
  leftovers(): string[];
}

const mark = 'NETBOOT_TEST_MARK';

const procFile = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
};

export function openWorkplace(): Workplace {
  const folder = mkdtempSync(join(tmpdir(), 'netboot-boots-'));
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const ours = `${mark}=${randomUUID()}`;
  const survivors = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      // A zombie has no environment any more; its parent has not looked, and nothing of it runs.
      .filter((pid) => procFile(pid, 'environ').includes(ours))
      .map((pid) => ({ pid, command: procFile(pid, 'cmdline').replaceAll('\0', ' ') }));
  const more: Record<string, string> = {};
  const launch = (program: string, args: readonly string[]): Started => {
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, ...more, TMPDIR: temporary, [mark]: ours.slice(mark.length + 1) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    }
    const finished = new Promise<Finished>((resolve) => {
      child.once('close', (exitCode, signal) => resolve({ exitCode, signal, ...said }));
    });
    return { pid: child.pid ?? 0, kill: (signal) => void child.kill(signal), said, finished };
  };
  return {
    folder,
    env: more,
    start: (...argv) => launch(process.execPath, argv),
    startBy: ([program, ...args], ...argv) => launch(program, [...args, process.execPath, ...argv]),
    write(name, content) {
      const path = join(folder, name);
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    },
    survivors,
    leftovers: () => readdirSync(temporary),
    [Symbol.dispose]() {
      for (const { pid } of survivors()) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true });
    },
  };
}
