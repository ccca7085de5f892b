import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';

/** What a parser returns instead of a view: the layer that failed, and why. */
export interface Malformed {
  readonly malformed: { readonly layer: string; readonly reason: string };
}

export function malformed(layer: string, reason: string): Malformed {
  return { malformed: { layer, reason } };
}

export type MalformedLog = (from: 'guest' | 'server', layer: string, reason: string) => void;

/** Counts malformed frames by layer and reason; emits at the first and then at powers of two. */
export function createMalformedLog(emit: EventSink): MalformedLog {
  const counts = new Map<string, number>();
  return (from, layer, reason) => {
    const key = `${from} ${layer} ${reason}`;
    const count = (counts.get(key) ?? 0) + 1;
    if (count === 1 && counts.size >= tableBounds.facts) return;
    counts.set(key, count);
    const isPowerOfTwo = Number.isInteger(Math.log2(count));
    if (isPowerOfTwo) emit({ source: 'wire', type: 'malformed', from, layer, reason, count });
  };
}
