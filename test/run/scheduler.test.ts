import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openCapacity } from '../../harness/os/capacity.ts';
import { type Job, openAdmission, schedule } from '../../harness/run/scheduler.ts';
import { doze } from '../../harness/vm/doze.ts';
import { guests, pods, showFiles, wideHost } from '../os/fake-kernel.ts';
import { folderOfFile } from '../temporary-folder.ts';

const root = folderOfFile();

const never = new AbortController().signal;

/** Jobs that tell when they run, and how many at once. */
function recorder(work: () => Promise<unknown> = async () => nextTurn()) {
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const job = (length: number, memoryMiB = 1): Job => ({
    length,
    memoryMiB,
    async run() {
      started.push(length);
      most = Math.max(most, ++running);
      await work();
      running--;
    },
  });
  return {
    job,
    started,
    get most() {
      return most;
    },
    get running() {
      return running;
    },
  };
}

/** Resolves once it was called by so many. */
function meeting(many: number): () => Promise<void> {
  let missing = many;
  let open: () => void = () => {};
  const complete = new Promise<void>((resolve) => {
    open = resolve;
  });
  return () => {
    if (--missing <= 0) open();
    return complete;
  };
}

describe('the scheduler', () => {
  it('has nothing to wait for where there are no jobs', async () => {
    await expect(schedule([], { signal: never })).resolves.toBeUndefined();
    await expect(schedule([], { jobs: 3, signal: never })).resolves.toBeUndefined();
  });

  it('runs every job once, the longest first', async () => {
    const { job, started } = recorder();
    await schedule([job(1), job(9), job(4)], { jobs: 1, signal: never });
    expect(started).toEqual([9, 4, 1]);
  });

  it('runs as many at once as it was told, and no more', async () => {
    const recorded = recorder(meeting(2));
    await schedule(
      [5, 4, 3, 2, 1].map((length) => recorded.job(length)),
      { jobs: 2, signal: never },
    );
    expect(recorded.most).toBe(2);
    expect(recorded.started).toHaveLength(5);
  });

  it('runs one for each core at once, however busy the host is', async () => {
    showFiles(root, wideHost);
    const capacity = openCapacity(root);
    showFiles(root, { 'proc/stat': [0, 1, 2, 3].map((cpu) => `cpu${cpu} 900 0 0 100 0 0 0 0 0 0`).join('\n') });
    const recorded = recorder(meeting(4));
    await schedule(
      [4, 3, 2, 1].map((length) => recorded.job(length)),
      { signal: never, capacity },
    );
    expect(recorded.most).toBe(4);
  });

  it('runs up to four for each core where others keep the host busy and its own guests mostly wait', async () => {
    const busy = mkdtempSync(join(root, 'busy-'));
    showFiles(busy, { ...wideHost, 'proc/self/status': 'Cpus_allowed_list:\t0', ...guests([0, 0]) });
    const capacity = openCapacity(busy);
    // Their 20 ms of a second are a small part of it.
    showFiles(busy, { 'proc/stat': 'cpu0 9000 0 0 100 0 0 0 0 0 0', ...guests([1, 1]) });
    const recorded = recorder(meeting(4));
    await schedule(
      [6, 5, 4, 3, 2, 1].map((length) => recorded.job(length)),
      { signal: never, capacity },
    );
    expect(recorded.most).toBe(4);
    expect(recorded.started).toHaveLength(6);
  });

  it.each(Object.entries(pods))(
    'never promises more memory than control groups of %s leave, however much the host has',
    async (_, files) => {
      const pod = mkdtempSync(join(root, 'pod-'));
      showFiles(pod, { ...wideHost, ...files });
      const recorded = recorder(async () => {
        for (let turn = 0; turn < 20; turn++) await nextTurn();
      });
      const jobs = [3, 2, 1].map((length) => recorded.job(length, 128));
      await schedule(jobs, { signal: never, capacity: openCapacity(pod) });
      expect(recorded.started).toEqual([3, 2, 1]);
      expect(recorded.most).toBe(1);
    },
  );

  it('keeps room for a guest that dozes', () => {
    const memory = { memoryMiB: 8192, availableMemoryMiB: () => 8192 };
    const admission = openAdmission(undefined, { cores: 2, ...memory, load: () => 0.7, ownLoad: () => undefined });
    const admits = () => admission.admits(128, 2);
    expect(admits()).toBe(true);
    const dozing = doze({ signal: () => {} }, { standsMs: 50, runsMs: 1 });
    expect(admits()).toBe(false);
    dozing[Symbol.dispose]();
    expect(admits()).toBe(true);
  });

  it('runs a job that wants more than there is by itself', async () => {
    showFiles(root, { ...wideHost, ...pods['version 2'] });
    const recorded = recorder();
    await schedule([recorded.job(1, 4096)], { signal: never, capacity: openCapacity(root) });
    expect(recorded.started).toEqual([1]);
  });

  it.each([undefined, 1])(
    'starts nothing more once it is interrupted (jobs: %s), and waits for what runs',
    async (jobs) => {
      const interruption = new AbortController();
      const huge = 1 << 20;
      const recorded = recorder(async () => {
        interruption.abort();
        await nextTurn();
      });
      await schedule([recorded.job(2, huge), recorded.job(1, huge)], { jobs, signal: interruption.signal });
      expect(recorded.started).toEqual([2]);
      expect(recorded.running).toBe(0);
    },
  );
});
