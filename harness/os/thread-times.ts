import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readKernelFile } from './kernel-file.ts';

/** A thread's CPU time since it started, and the time it was runnable but waiting for a CPU, in ms. */
export interface ThreadTime {
  ranMs: number;
  waitedMs: number;
}

const none: ThreadTime = { ranMs: 0, waitedMs: 0 };

/** Times of a thread of process `pid`, from its schedstat (Linux, Documentation/scheduler/sched-stats.rst); zeros once it is gone. */
export function readThreadTime(pid: number, thread: number, root = '/'): ThreadTime {
  try {
    const text = readKernelFile(join(root, `proc/${pid}/task/${thread}/schedstat`));
    const [ranNs = 0, waitedNs = 0] = text.split(' ').map(Number);
    return { ranMs: ranNs / 1e6, waitedMs: waitedNs / 1e6 };
  } catch {
    return none;
  }
}

/** Thread ids of a process; empty once it is gone. */
export function readThreadTimes(pid: number, root = '/'): ReadonlyMap<number, ThreadTime> {
  try {
    const threads = readdirSync(join(root, `proc/${pid}/task`)).map(Number);
    return new Map(threads.map((thread) => [thread, readThreadTime(pid, thread, root)]));
  } catch {
    return new Map();
  }
}

/**
 * Time during which anything on the host waited for a CPU, in ms since boot (Linux' pressure stall information,
 * Documentation/accounting/psi.rst); 0 where the kernel does not count it.
 */
export function readCpuPressureMs(root = '/'): number {
  try {
    const total = /^some .* total=(\d+)/m.exec(readKernelFile(join(root, 'proc/pressure/cpu')))?.[1];
    return Number(total ?? 0) / 1e3;
  } catch {
    return 0;
  }
}
