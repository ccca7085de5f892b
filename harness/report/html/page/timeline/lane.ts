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
