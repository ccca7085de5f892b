// The targets of test/fuzz/, each run in a thread of its own: one that hangs, or takes all memory, is a failure like any other.
import { once } from 'node:events';
import { setInterval } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createJiti } from 'jiti';
import { inCheckout } from '../setup/checkout.mjs';

/** A run takes milliseconds; on a busy host it may wait for a CPU much longer. */
const hangsAfter = { cpuMs: 60_000, ms: 3_600_000 };
const mostMiB = 2048;

/** The targets that a module exports. */
export const targetsOf = async (file = inCheckout('test/fuzz/targets.ts')) =>
  (await createJiti(import.meta.url, { interopDefault: false }).import(file)).targets;

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Resolves to what is wrong once the thread gets no further or has taken too much memory. */
async function watch(begun, signal) {
  const now = () => ({ runs: Atomics.load(begun, 0), ms: performance.now(), cpuMs: cpuMs() });
  let since = now();
  for await (const _ of setInterval(500, undefined, { signal })) {
    const at = now();
    if (at.runs !== since.runs) since = at;
    const taken = { cpuMs: at.cpuMs - since.cpuMs, ms: at.ms - since.ms };
    if (taken.cpuMs > hangsAfter.cpuMs || taken.ms > hangsAfter.ms)
      return `this run has taken ${Math.round(taken.cpuMs / 1000)} s of CPU in ${Math.round(taken.ms / 1000)} s`;
    const mib = process.memoryUsage.rss() >> 20;
    if (mib > mostMiB) return `${mib} MiB of memory in use, more than ${mostMiB}`;
  }
}

/** Runs one target of `file`; resolves to its outcome, as test/fuzz/target.ts has it. */
export async function runTarget({ name, runs, seed, forMs, file }) {
  const begun = new Int32Array(new SharedArrayBuffer(4));
  const startedMs = performance.now();
  const lost = (failure) => ({
    ...{ target: name, seed, runs: Atomics.load(begun, 0), inputs: 0 },
    ...{ ms: performance.now() - startedMs, failure },
  });
  const worker = new Worker(new URL('worker.mjs', import.meta.url), {
    workerData: { name, runs, seed, forMs, file, begun },
    resourceLimits: { maxOldGenerationSizeMb: mostMiB / 2 },
  });
  const ended = new AbortController();
  try {
    const outcome = once(worker, 'message').then(
      ([message]) => message,
      (error) => lost(error.stack ?? error.message),
    );
    // Node ends a thread that has nothing left to wait for, with 13 if a promise of its module is still open.
    const exited = once(worker, 'exit').then(([code]) =>
      lost(`the thread ended with exit code ${code} and no outcome: this run waits for what never happens`),
    );
    const trouble = watch(begun, ended.signal).then(lost, () => new Promise(() => {}));
    return await Promise.race([outcome, exited, trouble]);
  } finally {
    ended.abort();
    await worker.terminate();
  }
}
