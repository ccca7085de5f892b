import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { openCgroup } from './cgroup.ts';
import { ownCpuReader } from './process-cpu.ts';

/** How much of this host we may use, as limited by the kernel, CPU affinity and control groups. */
export interface Capacity {
  /** Fractional under a CPU quota, such as 1.5. */
  cores: number;
  memoryMiB: number;
  /** Memory available to new processes, MiB. */
  availableMemoryMiB(): number;
  /** Share of the cores' time used since the previous call, by any process, 0 to 1. */
  load(): number;
  /** Share that this process and its children used since the previous call; undefined where the kernel does not say. */
  ownLoad(): number | undefined;
}

const mebibyte = 1 << 20;
/** Over all CPUs. Kernel clocks tick at 10 ms, so shorter spans mean nothing. */
const shortestSpanMs = 40;

/** MemAvailable on Linux; free memory elsewhere. */
function availableBytes(root: string): number {
  const kib = /^MemAvailable:\s+(\d+) kB/m.exec(textOf(root, 'proc/meminfo'))?.[1];
  return kib === undefined ? freemem() : Number(kib) * 1024;
}

function textOf(root: string, path: string): string {
  try {
    return readFileSync(join(root, path), 'latin1');
  } catch {
    return '';
  }
}

/** Parses a CPU list such as `0-2,7`. */
function cpuList(text: string): ReadonlySet<number> {
  const ranges = [...text.matchAll(/(\d+)(?:-(\d+))?/g)];
  return new Set(
    ranges.flatMap(([, first, last = first]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => Number(first) + at),
    ),
  );
}

interface CpuTime {
  busyMs: number;
  totalMs: number;
}

/** Times of the CPUs we may run on, from /proc/stat (proc(5)), in ticks of 10 ms; of all CPUs elsewhere. */
function cpuTime(root: string, allowed: ReadonlySet<number>): CpuTime {
  let busyMs = 0;
  let totalMs = 0;
  const add = (times: readonly number[], idle: number): void => {
    const sum = times.reduce((total, time) => total + time, 0);
    totalMs += sum;
    busyMs += sum - idle;
  };
  const lines = [...textOf(root, 'proc/stat').matchAll(/^cpu(\d+) (.*)$/gm)];
  for (const [, cpu, text = ''] of lines) {
    // The first two columns already include guest time (ninth and tenth).
    const times = text
      .split(' ')
      .slice(0, 8)
      .map((ticks) => Number(ticks) * 10);
    if (allowed.has(Number(cpu))) add(times, (times[3] ?? 0) + (times[4] ?? 0));
  }
  if (lines.length === 0) for (const { times } of cpus()) add(Object.values(times), times.idle);
  return { busyMs, totalMs };
}

function ownLoadReader(cores: number, root: string): () => number | undefined {
  const used = ownCpuReader(root);
  const read = () => ({ usedMs: used(), atMs: performance.now() });
  let last = read();
  let share: number | undefined;
  return () => {
    const next = read();
    if (next.usedMs === undefined || last.usedMs === undefined) return undefined;
    if (next.atMs - last.atMs < shortestSpanMs) return share;
    share = (next.usedMs - last.usedMs) / ((next.atMs - last.atMs) * cores);
    last = next;
    return share;
  };
}

const unlimited = Number.POSITIVE_INFINITY;

/** Reads procfs and sysfs below `root`, and falls back to Node's figures. */
export function openCapacity(root = '/'): Capacity {
  const cgroup = openCgroup(root);
  const allowed = cpuList(/^Cpus_allowed_list:\s+(\S+)/m.exec(textOf(root, 'proc/self/status'))?.[1] ?? '');
  // Unconstrained, Node reports 0 or more than any machine has.
  const memoryBytes = Math.min(
    totalmem(),
    process.constrainedMemory() || unlimited,
    cgroup.memory?.limitBytes ?? unlimited,
  );

  const read = () => ({ ...cpuTime(root, allowed), usedMs: cgroup.cpu?.usedMs() ?? 0, atMs: performance.now() });
  let last = read();
  let share = 0;
  const cores = Math.min(allowed.size || availableParallelism(), cgroup.cpu?.cpus ?? unlimited);

  return {
    cores,
    ownLoad: ownLoadReader(cores, root),
    memoryMiB: Math.floor(memoryBytes / mebibyte),
    availableMemoryMiB() {
      const bytes = Math.min(availableBytes(root), cgroup.memory?.freeBytes() ?? unlimited);
      return Math.max(0, Math.floor(bytes / mebibyte));
    },
    load() {
      const next = read();
      const totalMs = next.totalMs - last.totalMs;
      if (totalMs < shortestSpanMs) return share;
      const ofCpus = (next.busyMs - last.busyMs) / totalMs;
      const ofQuota = cgroup.cpu ? (next.usedMs - last.usedMs) / ((next.atMs - last.atMs) * cgroup.cpu.cpus) : 0;
      share = Math.max(ofCpus, ofQuota);
      last = next;
      return share;
    },
  };
}
