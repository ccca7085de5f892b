const tickMs = 250;
/** The shortest time for which a client in a ROM waits, before it asks again, is a quarter of a second; most wait for one. */
const bearableMs = 1_000;

type OnLate = (lateMs: number) => void;

const watchers = new Set<OnLate>();
let ticker: NodeJS.Timeout | undefined;

function startTicking(): void {
  let dueAt = performance.now() + tickMs;
  ticker = setInterval(() => {
    const now = performance.now();
    const lateMs = Math.round(now - dueAt);
    dueAt = now + tickMs;
    if (lateMs >= bearableMs) for (const onLate of watchers) onLate(lateMs);
  }, tickMs).unref();
}

/**
 * Calls `onLate` whenever this process could do nothing for a second or more, with at least how long, in ms: others had the
 * CPU, it was stopped (SIGSTOP), or it computed. Timers come before what arrived meanwhile is read. All watchers share one.
 */
export function watchLateness(onLate: OnLate): Disposable {
  watchers.add(onLate);
  if (ticker === undefined) startTicking();
  return {
    [Symbol.dispose]() {
      watchers.delete(onLate);
      if (watchers.size > 0) return;
      clearInterval(ticker);
      ticker = undefined;
    },
  };
}
