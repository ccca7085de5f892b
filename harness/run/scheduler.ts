import { availableParallelism } from 'node:os';
import PQueue from 'p-queue';
import { availableMemoryMiB, createLoadMeter } from './cpu-load.ts';

export interface Job {
  /** Memory the job will take, MiB. */
  memoryMiB: number;
  /** Rough length, any unit: long ones go first, so that the run does not end waiting for one. */
  length: number;
  run(): Promise<void>;
}

const tickMs = 100;
/** Below this share of the host's CPU time in use, one more guest fits. */
const headroom = 0.88;
/** A guest just admitted does not show in the load yet. */
const settleMs = 250;
/** Left for the host itself. */
const reserveMiB = 512;
const overheadMiB = 160;

/**
 * Runs jobs with as many at once as the host carries: guests mostly wait, so admission goes by measured CPU
 * headroom and free memory. `jobs` overrides the measuring. Stops admitting when `signal` aborts.
 */
export async function schedule(
  list: readonly Job[],
  { jobs, signal }: { jobs?: number | undefined; signal: AbortSignal },
): Promise<void> {
  const queue = new PQueue({ concurrency: jobs ?? 1 });
  let promised = 0;
  let admittedAt = Number.NEGATIVE_INFINITY;
  const meter = createLoadMeter();
  const cores = availableParallelism();

  const fits = (memoryMiB: number): boolean => availableMemoryMiB() - promised > reserveMiB + overheadMiB + memoryMiB;
  const waiting = [...list].sort((a, b) => b.length - a.length);

  const add = (job: Job): void => {
    promised += job.memoryMiB;
    // Memory is touched within the first seconds; from then on the kernel's own figure has it.
    setTimeout(() => {
      promised -= job.memoryMiB;
    }, 5_000).unref();
    void queue.add(async () => {
      if (!signal.aborted) await job.run();
    });
  };

  if (jobs !== undefined) {
    for (const job of waiting) add(job);
    await queue.onIdle();
    return;
  }

  queue.concurrency = Number.POSITIVE_INFINITY;
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const now = performance.now();
      const load = meter();
      const next = waiting[0];
      if (signal.aborted || next === undefined) {
        clearInterval(timer);
        resolve();
        return;
      }
      // One guest per core is admitted however busy others keep the host: deadlines stretch by the pressure.
      const few = queue.pending < cores && fits(next.memoryMiB);
      if (!few && queue.pending > 0 && (load > headroom || now - admittedAt < settleMs || !fits(next.memoryMiB)))
        return;
      waiting.shift();
      admittedAt = now;
      add(next);
    };
    const timer = setInterval(tick, tickMs);
    tick();
  });
  await queue.onIdle();
}
