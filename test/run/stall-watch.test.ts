import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchStalls } from '../../harness/run/boot/stall-watch.ts';
import { showFiles } from '../os/fake-kernel.ts';
import { folderOfTest } from '../temporary-folder.ts';

let root: string;
folderOfTest((made) => {
  root = made;
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const qemu = 4711;
const virtualCpu = 4713;

/** How long each thread has waited for a CPU so far, ms, as a kernel shows it. */
function show(waitedMs: number, ofCpuMs = 0): void {
  const line = (ms: number): string => `1000000 ${ms * 1e6} 9`;
  const task = `proc/${qemu}/task`;
  showFiles(root, {
    [`${task}/${qemu}/schedstat`]: line(waitedMs),
    [`${task}/${virtualCpu}/schedstat`]: line(ofCpuMs),
  });
}

function watched() {
  const stalls: number[] = [];
  return { stalls, watch: watchStalls(qemu, 1_000, (ms) => void stalls.push(ms), root) };
}

describe("a stall of QEMU's main loop", () => {
  it('is told once it is over, to a tick', () => {
    show(5);
    const { stalls, watch } = watched();
    vi.advanceTimersByTime(8_000);
    show(6_505);
    vi.advanceTimersByTime(1_000);
    expect(stalls).toEqual([6_300]);
    watch[Symbol.dispose]();
  });

  it('is told by a look at the end, however soon', () => {
    show(5);
    const { stalls, watch } = watched();
    vi.advanceTimersByTime(8_000);
    show(6_505);
    watch.look();
    watch[Symbol.dispose]();
    expect(stalls).toEqual([6_500]);
    show(20_000);
    vi.advanceTimersByTime(60_000);
    expect(stalls).toEqual([6_500]);
  });

  it('is none where many short waits add up to most of the time', () => {
    show(0);
    const { stalls, watch } = watched();
    for (let second = 1; second <= 10; second++) {
      vi.advanceTimersByTime(1_000);
      show(second * 950);
    }
    watch.look();
    watch[Symbol.dispose]();
    expect(stalls).toEqual([]);
  });

  it('is none where only the virtual CPU waited: then the guest stood still too', () => {
    show(0);
    const { stalls, watch } = watched();
    vi.advanceTimersByTime(8_000);
    show(0, 6_500);
    watch.look();
    watch[Symbol.dispose]();
    expect(stalls).toEqual([]);
  });

  it('is none where it was before anyone watched', () => {
    show(0);
    const { stalls, watch } = watched();
    vi.advanceTimersByTime(100);
    show(6_500);
    watch.look();
    watch[Symbol.dispose]();
    expect(stalls).toEqual([]);
  });

  it('is not seen where the kernel does not count waits by thread', () => {
    const { stalls, watch } = watched();
    vi.advanceTimersByTime(60_000);
    watch[Symbol.dispose]();
    expect(stalls).toEqual([]);
  });
});
