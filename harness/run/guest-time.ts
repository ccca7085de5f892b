import { readCpuPressureMs, readThreadTime, readThreadTimes, type ThreadTime } from '../os/thread-times.ts';

/** How long the threads of one link in the chain of a boot have waited for a CPU by now, in ms, by thread. */
type Waits = ReadonlyMap<number, number>;

/** What there is to know of a guest's time at one moment. */
export interface TimeReading {
  atMs: number;
  /** The links of the chain that every boot goes through; each stands still while it waits for a CPU. */
  links: readonly Waits[];
  /** CPU time that QEMU has had; undefined where the kernel does not count it. */
  cpuMs: number | undefined;
}

/** However starved it is, a guest's time passes at this share of real time: it comes to an end. */
const slowestRate = 0.02;

/** The longest wait of any thread of a link. They wait side by side, so that their waits do not add up. */
function longestWaitMs(then: Waits | undefined, now: Waits): number {
  const waits = [...now].map(([thread, waitedMs]) => {
    const before = then?.get(thread) ?? 0;
    // One that has waited for less than before is another with the same id.
    return before <= waitedMs ? waitedMs - before : waitedMs;
  });
  return Math.max(0, ...waits);
}

/**
 * Time between two readings in which the guest could run, in ms: real time less the time in which a link of the chain
 * waited for a CPU. Several may do so at once, so their waits are not added but taken as independent of each other: that
 * is between the longest of them and their sum, and never more than all of the time.
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
 * Reads the time of the guest that runs as process `pid`, again and again. Its links are QEMU's, and our own main thread,
 * which is the network that the guest hears from. Where the kernel does not count waits by thread, the whole host is the
 * one link: anything on it that had to wait.
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
