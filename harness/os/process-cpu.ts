import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKernelFile, readOpenKernelFile } from './kernel-file.ts';

// USER_HZ is 100 on every Linux architecture Node runs on.
const msPerTick = 10;

/** CPU time, user and system, in ms, from a process's stat (proc_pid_stat(5)). */
function cpuMsIn(stat: string): number {
  // The command name may hold spaces and parentheses: fields count from the last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

/** CPU time a process has used, in ms; null if unknown (not Linux, or the process is gone). */
function readCpuMs(pid: number, root: string): number | null {
  try {
    return cpuMsIn(readKernelFile(join(root, `proc/${pid}/stat`)));
  } catch {
    return null;
  }
}

/** Reads one process's CPU time again and again. */
export interface CpuMeter {
  /** In ms; as it was last read once the process is gone, and 0 where the kernel does not say (not Linux). */
  cpuMs(): number;
  close(): void;
}

/** Keeps the file open: finding it costs more than reading it, and is done twice a second for every guest. */
export function openCpuMeter(pid: number, root = '/'): CpuMeter {
  let fd: number | undefined;
  let lastMs = 0;
  try {
    fd = openSync(join(root, `proc/${pid}/stat`), 'r');
  } catch {
    // Gone, or not Linux.
  }
  return {
    cpuMs() {
      try {
        if (fd !== undefined) lastMs = cpuMsIn(readOpenKernelFile(fd));
      } catch {
        // ESRCH: the process is gone.
      }
      return lastMs;
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** Processes that this one has started and that are still there; undefined where the kernel does not list them (proc(5)). */
function childrenOf(root: string): number[] | undefined {
  try {
    const list = readFileSync(join(root, `proc/self/task/${process.pid}/children`), 'latin1');
    return list.split(' ').map(Number).filter(Boolean);
  } catch {
    return undefined;
  }
}

/**
 * Returns a reader of the CPU time, in ms, that this process and its children have used since the reader was made;
 * undefined where the kernel does not say. What a child used between the last reading and its end is not counted.
 */
export function ownCpuReader(root = '/'): () => number | undefined {
  let known = new Map<number, number>();
  let ofChildrenMs = 0;
  const begun = process.cpuUsage();

  function read(): number | undefined {
    const children = childrenOf(root);
    if (children === undefined) return undefined;
    const now = new Map(children.map((pid) => [pid, readCpuMs(pid, root) ?? 0]));
    for (const [pid, ms] of now) ofChildrenMs += Math.max(0, ms - (known.get(pid) ?? 0));
    known = now;
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1000 + ofChildrenMs;
  }

  // What children used before counts for nobody.
  read();
  ofChildrenMs = 0;
  return read;
}
