import type { AttemptRecord } from '../../report-data.ts';
import { dhcpLane } from './dhcp-lane.ts';
import type { Lane, Tick } from './lane.ts';
import { machineLane } from './machine-lane.ts';
import { stageLane } from './stage-lane.ts';
import { transferLane } from './transfer-lane.ts';

function consoleLane({ console: chunks }: AttemptRecord): Lane {
  const ticks = chunks.map(([tMs, text]): Tick => {
    const weight = Math.min(1, 0.25 + Math.log10(text.length + 1) / 4);
    return { tMs, kind: 'console', weight, detail: 'console', bytes: text.length };
  });
  return { name: 'console', mostRows: 1, spans: [], ticks };
}

/** Everything an attempt did, on one time axis. Empty lanes stay: silence is information too. */
export const lanesOf = (attempt: AttemptRecord): Lane[] => [
  stageLane(attempt),
  dhcpLane(attempt),
  transferLane(attempt),
  consoleLane(attempt),
  machineLane(attempt),
];

const shortestQuietMs = 1_000;

export interface Quiet {
  startMs: number;
  endMs: number;
}

/** Times of a second and more in which the guest neither sent a frame nor printed anything. */
export function quietTimes({ console: chunks, events, durationMs }: AttemptRecord): Quiet[] {
  const signs = [
    0,
    ...chunks.map(([tMs]) => tMs),
    ...events.filter(({ source }) => source === 'wire' || source === 'qmp').map(({ tMs }) => tMs),
    durationMs,
  ].sort((a, b) => a - b);
  return signs.flatMap((endMs, index) => {
    const startMs = signs[index - 1] ?? 0;
    return endMs - startMs >= shortestQuietMs ? [{ startMs, endMs }] : [];
  });
}
