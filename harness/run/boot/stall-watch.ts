import type { LatenessWatch } from '../../os/lateness.ts';
import { readThreadTime } from '../../os/thread-times.ts';

/** What a stall must outlast to be seen. A look costs 30 µs. */
const tickMs = 200;

/**
 * Calls `onStalled` whenever the main loop of QEMU `pid`, which serves the guest's NIC, was kept from a CPU for `mindsMs` or
 * more, with at least how long, in ms. The kernel counts a wait once it is over: what is longer than the time between two
 * looks began before the first of them. Says nothing where the kernel does not count waits by thread.
 */
export function watchStalls(pid: number, mindsMs: number, onStalled: (ms: number) => void, root = '/'): LatenessWatch {
  // A process's id is that of its first thread, in which QEMU runs its main loop.
  const read = () => ({ atMs: performance.now(), waitedMs: readThreadTime(pid, pid, root).waitedMs });
  const first = read();
  let last = first;
  function look(): void {
    const now = read();
    const beforeLastMs = now.waitedMs - last.waitedMs - (now.atMs - last.atMs);
    const stalledMs = Math.round(Math.min(beforeLastMs, last.atMs - first.atMs));
    last = now;
    if (stalledMs >= mindsMs) onStalled(stalledMs);
  }
  const ticker = setInterval(look, tickMs);
  return { look, [Symbol.dispose]: () => clearInterval(ticker) };
}
