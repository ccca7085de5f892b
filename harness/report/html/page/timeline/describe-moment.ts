import { bytes, duration } from '../format.ts';
import type { Lane } from './lane.ts';
import type { Quiet } from './lanes.ts';

const mostSaid = 5;

/** What happened at a moment, or within `nearMs` of it, in words. */
export function describeMoment(lanes: readonly Lane[], quiet: readonly Quiet[], tMs: number, nearMs: number): string {
  const ticks = lanes.flatMap((lane) => lane.ticks.filter((tick) => Math.abs(tick.tMs - tMs) <= nearMs));
  const spans = lanes.flatMap((lane) =>
    lane.spans.filter(({ startMs, endMs }) => tMs >= startMs - nearMs && tMs <= endMs + nearMs),
  );
  const still = quiet.filter(({ startMs, endMs }) => tMs > startMs && tMs < endMs);
  const printed = ticks.reduce((sum, tick) => sum + (tick.bytes ?? 0), 0);
  const said = new Set([
    ...ticks.filter((tick) => tick.bytes === undefined).map(({ detail }) => detail),
    ...(printed > 0 ? [`${bytes(printed)} on the console`] : []),
    ...spans.map(({ detail }) => detail),
    ...still.map(({ startMs, endMs }) => `nothing seen for ${duration(endMs - startMs)}`),
  ]);
  if (said.size === 0) return 'nothing was seen here';
  const more = said.size > mostSaid ? [`and ${said.size - mostSaid} more`] : [];
  return [...[...said].slice(0, mostSaid), ...more].join(' · ');
}

/** The next moment at which anything happened, or the one before. */
export function nextMoment(lanes: readonly Lane[], tMs: number, direction: 1 | -1): number {
  const moments = lanes
    .flatMap(({ ticks, spans }) => [
      ...ticks.map((tick) => tick.tMs),
      ...spans.flatMap(({ startMs, endMs }) => [startMs, endMs]),
    ])
    .filter((one) => (direction === 1 ? one > tMs + 0.5 : one < tMs - 0.5));
  if (moments.length === 0) return tMs;
  return moments.reduce((best, one) => (direction === 1 ? Math.min(best, one) : Math.max(best, one)));
}
