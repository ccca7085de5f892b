type OnLate = (lateMs: number) => void;

export interface LatenessWatch extends Disposable {
  /** Tells now what the next tick would: what has arrived meanwhile may be read before timers run (libuv 1.45 and later). */
  look(): void;
}

/** A share of the shortest lateness that anyone minds. */
const tickMs = 100;

interface Watcher {
  mindsMs: number;
  onLate: OnLate;
  since: number;
}

const watchers = new Set<Watcher>();
let ticker: NodeJS.Timeout | undefined;
let dueAt = 0;

function tick(): void {
  const now = performance.now();
  const lateMs = now - dueAt;
  dueAt = now + tickMs;
  for (const { mindsMs, onLate, since } of watchers) {
    const ofWatched = Math.round(Math.min(lateMs, now - since));
    if (ofWatched >= mindsMs) onLate(ofWatched);
  }
}

function startTicking(): void {
  dueAt = performance.now() + tickMs;
  ticker = setInterval(tick, tickMs).unref();
}

/**
 * Calls `onLate` whenever this process could do nothing for `mindsMs` or more, with at least how long, in ms: others had the
 * CPU, it was stopped (SIGSTOP), or it computed. What happened before the call is not told.
 */
export function watchLateness(mindsMs: number, onLate: OnLate): LatenessWatch {
  const watcher = { mindsMs, onLate, since: performance.now() };
  watchers.add(watcher);
  if (ticker === undefined) startTicking();
  return {
    look: tick,
    [Symbol.dispose]() {
      watchers.delete(watcher);
      if (watchers.size > 0) return;
      clearInterval(ticker);
      ticker = undefined;
    },
  };
}
