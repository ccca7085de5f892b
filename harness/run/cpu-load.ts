import { readFileSync } from 'node:fs';
import { cpus, freemem } from 'node:os';

/** Share of the host's CPU time in use since the last call, 0 to 1. */
export function createLoadMeter(): () => number {
  const read = (): { busy: number; total: number } => {
    let busy = 0;
    let total = 0;
    for (const { times } of cpus()) {
      const sum = times.user + times.nice + times.sys + times.irq + times.idle;
      total += sum;
      busy += sum - times.idle;
    }
    return { busy, total };
  };
  let last = read();
  let share = 0;
  return () => {
    const next = read();
    const total = next.total - last.total;
    // Kernel clocks tick at 10 ms: a shorter span says nothing.
    if (total < 40) return share;
    share = (next.busy - last.busy) / total;
    last = next;
    return share;
  };
}

/** Memory that new processes may have, MiB: Linux' own estimate where there is one. */
export function availableMemoryMiB(): number {
  try {
    const line = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1'));
    if (line) return Math.floor(Number(line[1]) / 1024);
  } catch {
    // Not Linux.
  }
  return Math.floor(freemem() / (1 << 20));
}

/**
 * Share of time in which something that could run had to wait for a CPU, 0 to 1, over the last ten seconds
 * (Linux' pressure stall information); 0 where the kernel does not tell.
 */
export function cpuPressure(): number {
  try {
    const match = /^some avg10=([\d.]+)/m.exec(readFileSync('/proc/pressure/cpu', 'latin1'));
    return match ? Number(match[1]) / 100 : 0;
  } catch {
    return 0;
  }
}
