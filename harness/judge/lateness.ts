import type { HarnessEvent } from '../model/events.ts';
import type { FailureRule } from '../model/failure-rules.ts';
import { seconds } from '../model/time-text.ts';
import type { Failure } from '../model/verdict.ts';

type Late = Extract<HarnessEvent, { source: 'run'; type: 'late' }>;

const whoText: Readonly<Record<Late['who'], string>> = {
  harness: 'it could not run',
  qemu: "QEMU could not serve the guest's NIC",
};

/** Ends that no late answer causes. */
const regardless: readonly (string | undefined)[] = [
  // It may itself make the harness late.
  'guest-flood',
  // A signature is checked once the file is there, whole.
  'secure-boot-refused',
] satisfies FailureRule[];

const isLate = (event: HarnessEvent): event is Late => event.source === 'run' && event.type === 'late';

/** The longest time for which the guest could not be answered, if there was one: a guest may stop for that alone. */
export function lateness(events: readonly HarnessEvent[], ending: Failure | null): string | undefined {
  if (regardless.includes(ending?.rule)) return undefined;
  const longest = events.filter(isLate).toSorted((a, b) => b.lateMs - a.lateMs)[0];
  if (longest === undefined) return undefined;
  const { who, lateMs, tMs } = longest;
  const when = `for ${seconds(lateMs)}, up to ${seconds(tMs)} into the boot,`;
  return `${when} ${whoText[who]}, and the guest may have stopped because of that. Run fewer guests at once (--jobs), or less next to them`;
}

/** Whether anything between two moments of a boot could not be answered, or seen, in time. */
export const wasLateBetween = (events: readonly HarnessEvent[], fromMs: number, toMs: number): boolean =>
  events.some((event) => isLate(event) && event.tMs > fromMs && event.tMs - event.lateMs < toMs);
