import type { HarnessEvent } from '../model/events.ts';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** The longest time for which the harness could not answer the guest, if there was one: a guest may stop for that alone. */
export function lateness(events: readonly HarnessEvent[]): string | undefined {
  const late = events.flatMap((event) => (event.source === 'run' && event.type === 'late' ? [event] : []));
  const longest = late.toSorted((a, b) => b.lateMs - a.lateMs)[0];
  return (
    longest &&
    `for ${seconds(longest.lateMs)}, up to ${seconds(longest.tMs)} into the boot, it could not run, and answer the guest, which may have stopped for that. Run fewer guests at once (--jobs), or less next to them`
  );
}
