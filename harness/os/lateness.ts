type OnLate = (lateMs: number) => void;

/** A share of the shortest lateness that anyone minds. */
const tickMs = 100;

interface Watcher {
  mindsMs: number;
  onLate: OnLate;
}

const watchers = new Set<Watcher>();
let ticker: NodeJS.Timeout | undefined;

function startTicking(): void {
  let dueAt = performance.now() + tickMs;
  ticker = setInterval(() => {
    const now = performance.now();
    const lateMs = Math.round(now - dueAt);
    dueAt = now + tickMs;
    for (const { mindsMs, onLate } of watchers) if (lateMs >= mindsMs) onLate(lateMs);
  }, tickMs).unref();
}

/**
 * Calls `onLate` whenever this process could do nothing for `mindsMs` or more, with at least how long, in ms: others had the
 * CPU, it was stopped (SIGSTOP), or it computed. Timers come before what arrived meanwhile is read.
 */
export function watchLateness(mindsMs: number, onLate: OnLate): Disposable {
  const watcher = { mindsMs, onLate };
  watchers.add(watcher);
  if (ticker === undefined) startTicking();
  return {
    [Symbol.dispose]() {
      watchers.delete(watcher);
      if (watchers.size > 0) return;
      clearInterval(ticker);
      ticker = undefined;
    },
  };
}
