import { deliveryOf, promiseOf } from '../model/deliveries.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';

/** What was delivered of a name, or promised where HTTP says so in advance. */
function lengthOf(event: HarnessEvent) {
  if (event.source === 'wire' && event.type === 'http-response') return promiseOf(event);
  return event.type === 'http-complete' ? undefined : deliveryOf(event);
}

/** Actions of faults that change the length of what is served. */
const lengthActions: readonly string[] = ['lengthOff', 'contentLength'];
const isOnPurpose = (event: HarnessEvent): boolean =>
  event.type === 'fault' && event.source !== 'run' && lengthActions.includes(event.action);

/**
 * A planned file that was served with another length than planned. Whatever the guest did with it, such as refusing its
 * signature, says nothing about the planned one.
 */
export function otherDelivery({ deliveries }: Plan, events: readonly HarnessEvent[]): string | undefined {
  if (events.some(isOnPurpose)) return undefined;
  const planned = new Map(Object.values(deliveries).flatMap((files) => files.map(({ name, bytes }) => [name, bytes])));
  for (const event of events) {
    const seen = lengthOf(event);
    const bytes = seen && planned.get(seen.name);
    if (seen === undefined || bytes === undefined || bytes === seen.bytes) continue;
    return `${seen.name} was served with ${seen.bytes} bytes, and ${bytes} were planned`;
  }
  return undefined;
}
