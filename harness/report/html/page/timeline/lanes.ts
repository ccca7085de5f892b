import type { AttemptRecord } from '../../report-data.ts';
import { dhcpLane } from './dhcp-lane.ts';
import { machineLane } from './machine-lane.ts';
import { stageLane } from './stage-lane.ts';
import { transferLane } from './transfer-lane.ts';

/** What a span says of its time. */
type SpanKind = 'reached' | 'stopped' | 'exchange' | 'waiting' | 'transfer' | 'refused' | 'unknown' | 'broken';

export interface Span {
  startMs: number;
  endMs: number;
  kind: SpanKind;
  /** Written on it where there is room. */
  label: string;
  /** The whole of it, in a sentence. */
  detail: string;
}

/** A moment; `weight` from 0 to 1 is how tall it stands. */
export interface Tick {
  tMs: number;
  kind: 'guest' | 'server' | 'console' | 'machine' | 'broken';
  weight: number;
  detail: string;
  /** Of console output. */
  bytes?: number;
}

export interface Lane {
  name: string;
  /** Rows that its spans may take. */
  mostRows: number;
  /** Its spans follow one another, and never overlap. */
  isSequence?: boolean;
  spans: Span[];
  ticks: Tick[];
}

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
