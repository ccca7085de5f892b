import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKernelFile } from './kernel-file.ts';

// USER_HZ is 100 on every Linux architecture Node runs on.
const msPerTick = 10;

/** CPU time a process has used, user and system, in ms; null if unknown (not Linux, or the process is gone). */
export function readCpuMs(pid: number, root = '/'): number | null {
  try {
    const stat = readKernelFile(join(root, `proc/${pid}/stat`));
    // The command name may hold spaces and parentheses: fields count from the last ')'.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  } catch {
    return null;
  }
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
