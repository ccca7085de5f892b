import type { HarnessEvent } from '../model/events.ts';
import type { FaultAction } from '../model/faults.ts';

type FaultEvent = Extract<HarnessEvent, { source: 'wire'; type: 'fault' }>;

/** What was done to a frame, in the past tense. */
const done: Record<FaultAction, string> = {
  drop: 'dropped',
  duplicate: 'sent twice',
  reorder: 'swapped with the next',
  corrupt: 'damaged',
  truncate: 'cut short',
  mtu: 'dropped as too long',
  delayMs: 'delayed',
  bytesPerSecond: 'dropped at a full queue',
  linkDownMs: 'taken down',
};

const isFault = (event: HarnessEvent): event is FaultEvent => event.source === 'wire' && event.type === 'fault';

/** Each of the scenario's faults that anything has met: how often, first when, and what. */
export function faultFindings(events: readonly HarnessEvent[]): string[] {
  const first = new Map<string, FaultEvent>();
  const counts = new Map<string, number>();
  for (const event of events.filter(isFault)) {
    const key = `${event.fault} ${event.action}`;
    if (!first.has(key)) first.set(key, event);
    counts.set(key, event.count);
  }
  return [...first].map(([key, { fault, action, direction, what, tMs }]) => {
    const seconds = (tMs / 1000).toFixed(1);
    const count = counts.get(key) ?? 0;
    if (action === 'linkDownMs') return `fault ${fault + 1}, on purpose: the guest's link taken down at ${seconds} s`;
    const way = direction === 'to-guest' ? 'to the guest' : 'from the guest';
    return `fault ${fault + 1}, on purpose: ${count} ${count === 1 ? 'frame' : 'frames'} ${way} ${done[action]}, the first (${what}) at ${seconds} s`;
  });
}
