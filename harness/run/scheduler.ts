import { setTimeout as sleep } from 'node:timers/promises';
import { type Capacity, openCapacity } from '../os/capacity.ts';
import { dozingGuests } from '../vm/doze.ts';

export interface Job {
  /** Memory the job needs, MiB. */
  memoryMiB: number;
  /** Rough length, any unit: long jobs start first, so that the run does not end waiting for one. */
  length: number;
  /** Must not reject. */
  run(): Promise<void>;
}

/** A look at the host takes a millisecond, and a guest that ends is replaced without waiting for the next one. */
const tickMs = 250;
/** Below this share of the CPU time in use, one more guest fits. */
const headroom = 0.88;
/** So does one if other processes use the rest and our guests less than this share, up to so many guests per core. */
const fairShare = 0.5;
const mostPerBusyCore = 4;
/** A guest just admitted does not show in the load yet; by the next look it does. */
const settleMs = 200;
/** Nor in memory use: it touches its memory within the first seconds. */
const touchMs = 5_000;
/** Of a core, for a guest that dozes: it wants one again within seconds, and others may end before. */
const dozingShare = 0.5;
/** Left for the host itself. */
const reserveMiB = 512;
const overheadMiB = 160;

/** Decides whether one more guest may start next to those running. */
export interface Admission {
  admits(memoryMiB: number, running: number): boolean;
  /** One that was admitted has started. */
  started(memoryMiB: number): void;
}

/** As many as the host carries: guests mostly wait, so free memory decides, and CPU headroom or our fair share of it. */
function measured({ cores, availableMemoryMiB, load, ownLoad }: Capacity): Admission {
  let recent: { atMs: number; memoryMiB: number }[] = [];
  const fits = (memoryMiB: number): boolean => {
    const promisedMiB = recent.reduce((sum, earlier) => sum + earlier.memoryMiB, 0);
    return availableMemoryMiB() - promisedMiB > reserveMiB + overheadMiB + memoryMiB;
  };
  const hasShare = (running: number): boolean => {
    const soon = (dozingShare * dozingGuests()) / cores;
    const [all, own] = [load(), ownLoad()];
    const hasLess = own !== undefined && own + soon < fairShare && running < cores * mostPerBusyCore;
    return all + soon <= headroom || hasLess;
  };
  return {
    admits(memoryMiB, running) {
      const atMs = performance.now();
      recent = recent.filter((earlier) => atMs - earlier.atMs < touchMs);
      const settled = atMs - (recent.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= settleMs;
      // One guest per core starts however busy the host is: deadlines count only time in which the guest could run.
      const mayRun = running < cores || (settled && hasShare(running));
      return running === 0 || (mayRun && fits(memoryMiB));
    },
    started(memoryMiB) {
      recent.push({ atMs: performance.now(), memoryMiB });
    },
  };
}

/** `jobs` at once, or as many as `capacity` has room for. */
export const openAdmission = (jobs: number | undefined, capacity: Capacity): Admission =>
  jobs === undefined ? measured(capacity) : { admits: (_, running) => running < jobs, started() {} };

/**
 * Runs jobs, the longest first, `jobs` at once or as many as `capacity` has room for. Stops starting them when
 * `signal` aborts, and resolves once all that were started have ended.
 */
export async function schedule(
  list: readonly Job[],
  { jobs, signal, capacity = openCapacity() }: { jobs?: number | undefined; signal: AbortSignal; capacity?: Capacity },
): Promise<void> {
  const admission = openAdmission(jobs, capacity);
  const running = new Set<Promise<void>>();
  for (const job of list.toSorted((a, b) => b.length - a.length)) {
    while (!signal.aborted && !admission.admits(job.memoryMiB, running.size))
      await Promise.race([...running, sleep(tickMs)]);
    if (signal.aborted) break;
    admission.started(job.memoryMiB);
    const done = job.run().finally(() => running.delete(done));
    running.add(done);
  }
  await Promise.all(running);
}
