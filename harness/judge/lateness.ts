import type { HarnessEvent } from '../model/events.ts';
import type { FailureRule } from '../model/failure-rules.ts';
import { seconds } from '../model/time-text.ts';
import type { Failure } from '../model/verdict.ts';

const whoText = {
  harness: 'it could not run, and answer the guest',
  qemu: 'QEMU had no CPU time to serve the NIC of the guest',
} as const;

/** The guest does this however late it is answered, and may itself make the harness late. */
const regardless: readonly (string | undefined)[] = ['guest-flood'] satisfies FailureRule[];

/** The longest time for which the guest could not be answered, if there was one: a guest may stop for that alone. */
export function lateness(events: readonly HarnessEvent[], ending: Failure | null): string | undefined {
  if (regardless.includes(ending?.rule)) return undefined;
  const late = events.flatMap((event) => (event.source === 'run' && event.type === 'late' ? [event] : []));
  const longest = late.toSorted((a, b) => b.lateMs - a.lateMs)[0];
  if (longest === undefined) return undefined;
  const { who, lateMs, tMs } = longest;
  const when = `for ${seconds(lateMs)}, up to ${seconds(tMs)} into the boot,`;
  return `${when} ${whoText[who]}, which may have stopped for that. Run fewer guests at once (--jobs), or less next to them`;
}
