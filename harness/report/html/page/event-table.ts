import type { RecordedEvent } from '../report-data.ts';

type Key = `${RecordedEvent['source']} ${RecordedEvent['type']}`;
type EventOf<K extends Key> = K extends `${infer S} ${infer T}`
  ? Extract<RecordedEvent, { source: S; type: T }>
  : never;

/** What is made of events, by `source type`; kinds of events that are not in it are passed over. */
export type EventTable<T> = { [K in Key]?: (event: EventOf<K>) => T };

export function lookUp<T>(table: EventTable<T>, event: RecordedEvent): T | undefined {
  const make = table[`${event.source} ${event.type}` as Key] as ((event: RecordedEvent) => T) | undefined;
  return make?.(event);
}
