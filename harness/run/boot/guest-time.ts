import { readCpuPressureMs, readThreadTime, readThreadTimes, type ThreadTime } from '../../os/thread-times.ts';

/** How long each thread of one link in the chain of a boot has waited for a CPU so far, in ms. */
type Waits = ReadonlyMap<number, number>;

/** A reading of a guest's time. */
export interface TimeReading {
  atMs: number;
  /** The links of the chain that every boot runs through; the boot stalls while one waits for a CPU. */
  links: readonly Waits[];
  /** CPU time of QEMU; undefined where the kernel does not count it. */
  cpuMs: number | undefined;
}

/** Even for a starved guest, time passes at this share of real time, so that every boot ends. */
const slowestRate = 0.02;

/** The longest wait of any thread of a link. Threads wait in parallel, so their waits do not add up. */
function longestWaitMs(then: Waits | undefined, now: Waits): number {
  const waits = [...now].map(([thread, waitedMs]) => {
    const before = then?.get(thread) ?? 0;
    // A shorter wait than before means another thread with the same id.
    return before <= waitedMs ? waitedMs - before : waitedMs;
  });
  return Math.max(0, ...waits);
}

/**
 * Time between two readings in which the guest could run, in ms: real time less the time in which a link of the chain
 * waited for a CPU. Links may wait at the same time, so their waits are not added but taken as independent: the result is
 * between the longest and the sum, and never more than the elapsed time.
 */
export function couldRunMs(then: TimeReading, now: TimeReading): number {
  const elapsedMs = now.atMs - then.atMs;
  if (elapsedMs <= 0) return 0;
  const rates = now.links.map((waits, link) => 1 - Math.min(1, longestWaitMs(then.links[link], waits) / elapsedMs));
  const rate = rates.reduce((product, one) => product * one, 1);
  return elapsedMs * Math.max(slowestRate, rate);
}

/** QEMU's main loop (timers, NIC, serial port), and its other threads: the virtual CPUs and those that work for them. */
function qemuLinks(pid: number, threads: ReadonlyMap<number, ThreadTime>): Waits[] {
  const waits = [...threads].map(([thread, { waitedMs }]) => [thread, waitedMs] as const);
  return [new Map(waits.filter(([thread]) => thread === pid)), new Map(waits.filter(([thread]) => thread !== pid))];
}

/**
 * Returns a reader of the time of the guest that runs as process `pid`. Its links are QEMU's threads and our main thread,
 * which serves the guest's network. Where the kernel does not count waits by thread, the whole host is the only link:
 * anything on it that had to wait.
 */
export function guestTimeReader(pid: number, root = '/'): (atMs: number) => TimeReading {
  const own = () => readThreadTime(process.pid, process.pid, root);
  if (own().ranMs === 0) {
    return (atMs) => ({ atMs, links: [new Map([[0, readCpuPressureMs(root)]])], cpuMs: undefined });
  }
  let last: Pick<TimeReading, 'links' | 'cpuMs'> = { links: [], cpuMs: undefined };
  return (atMs) => {
    const threads = readThreadTimes(pid, root);
    if (threads.size > 0) {
      const cpuMs = [...threads.values()].reduce((sum, { ranMs }) => sum + ranMs, 0);
      last = { links: [...qemuLinks(pid, threads), new Map([[process.pid, own().waitedMs]])], cpuMs };
    }
    return { ...last, atMs };
  };
}
