import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { couldRunMs, guestTimeReader, type TimeReading } from '../../harness/run/boot/guest-time.ts';
import { showFiles } from '../os/fake-kernel.ts';
import { folderOfTest } from '../temporary-folder.ts';

let root: string;
folderOfTest((made) => {
  root = made;
});

const qemu = 4711;
const [mainLoop, cpu0, cpu1, worker] = [4711, 4713, 4714, 4720];

type Waited = Partial<Record<number, number>>;

/** Threads as a kernel shows them: ms they ran and waited. */
function showThreads(pid: number, waited: Waited, ranMs = 1): void {
  const files = Object.entries(waited).map(([thread, ms = 0]) => [
    `proc/${pid}/task/${thread}/schedstat`,
    `${ranMs * 1e6} ${ms * 1e6} 9`,
  ]);
  showFiles(root, Object.fromEntries(files));
}
const showHarness = (waitedMs: number): void => showThreads(process.pid, { [process.pid]: waitedMs });

/** What the guest could run of 10 s, in which its threads and we waited so long. */
function ofTenSeconds(waited: Waited, harnessWaitedMs = 0): number {
  const before = Object.fromEntries(Object.keys(waited).map((thread) => [thread, 0]));
  showThreads(qemu, { [mainLoop]: 0, ...before });
  showHarness(0);
  const readAt = guestTimeReader(qemu, root);
  const then = readAt(0);
  showThreads(qemu, waited);
  showHarness(harnessWaitedMs);
  return Math.round(couldRunMs(then, readAt(10_000)));
}

describe('the time in which a guest could run', () => {
  it('is all of it where nothing had to wait', () => {
    expect(ofTenSeconds({ [mainLoop]: 0, [cpu0]: 0 })).toBe(10_000);
  });

  it.each([
    ['its virtual CPU', { [cpu0]: 4_000 }, 0],
    ["QEMU's main loop", { [mainLoop]: 4_000 }, 0],
    ['a thread that reads a disk for it', { [worker]: 4_000 }, 0],
    ['its network, which is us,', { [cpu0]: 0 }, 4_000],
  ])('lacks that in which %s waited for a CPU', (_, waited, harness) => {
    expect(ofTenSeconds(waited, harness)).toBe(6_000);
  });

  it('lacks it once where threads of a kind waited at once', () => {
    expect(ofTenSeconds({ [cpu0]: 9_000, [cpu1]: 9_000, [worker]: 8_000 })).toBe(1_000);
  });

  it('is never less than none: several waits at once are no more than all of the time', () => {
    const left = ofTenSeconds({ [cpu0]: 9_000, [mainLoop]: 9_000 }, 9_000);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(1_000);
  });

  it('lacks the waits of threads that came meanwhile, and keeps those of threads that went', () => {
    showThreads(qemu, { [mainLoop]: 0, [worker]: 500 });
    showHarness(0);
    const readAt = guestTimeReader(qemu, root);
    const then = readAt(0);
    rmSync(join(root, `proc/${qemu}/task/${worker}`), { recursive: true });
    showThreads(qemu, { [cpu1]: 2_000 });
    expect(Math.round(couldRunMs(then, readAt(10_000)))).toBe(8_000);
    // The same id again, for another thread.
    const later = readAt(10_000);
    showThreads(qemu, { [cpu1]: 1_000 });
    expect(Math.round(couldRunMs(later, readAt(20_000)))).toBe(9_000);
  });

  it('goes on by the clock once QEMU is gone', () => {
    showThreads(qemu, { [mainLoop]: 0, [cpu0]: 3_000 });
    showHarness(0);
    const readAt = guestTimeReader(qemu, root);
    const then = readAt(0);
    rmSync(join(root, `proc/${qemu}`), { recursive: true });
    expect(couldRunMs(then, readAt(10_000))).toBe(10_000);
  });

  it('falls back on the pressure of the whole host where the kernel does not count by thread', () => {
    showThreads(process.pid, { [process.pid]: 0 }, 0);
    const pressure = (totalUs: number) => ({
      'proc/pressure/cpu': `some avg10=9.00 avg60=9.00 avg300=9.00 total=${totalUs}\nfull avg10=0.00 total=7`,
    });
    showFiles(root, pressure(5_000_000));
    const readAt = guestTimeReader(qemu, root);
    const then = readAt(0);
    showFiles(root, pressure(8_000_000));
    expect(Math.round(couldRunMs(then, readAt(10_000)))).toBe(7_000);
    expect(readAt(0).cpuMs).toBeUndefined();
  });

  it('is all of it where the kernel counts nothing', () => {
    const readAt = guestTimeReader(qemu, root);
    const then = readAt(0);
    expect(couldRunMs(then, readAt(10_000))).toBe(10_000);
  });

  it('is none between a moment and itself', () => {
    const reading: TimeReading = { atMs: 5, links: [new Map([[1, 3]])], cpuMs: 1 };
    expect(couldRunMs(reading, reading)).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('the time of a real process', () => {
  it('has what it ran and what its threads waited', () => {
    const { cpuMs, links } = guestTimeReader(process.pid)(0);
    expect(cpuMs).toBeGreaterThan(0);
    expect(links).toHaveLength(3);
    expect(links[0]?.get(process.pid)).toBeGreaterThanOrEqual(0);
    expect(links[1]?.size).toBeGreaterThan(0);
  });
});
