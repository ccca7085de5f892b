import type { AttemptRecord } from '../../report-data.ts';
import { duration } from '../format.ts';
import type { Lane, Span } from './lane.ts';

/** From each stage to the next; and from the last one that was reached to where it ended. */
export function stageLane({ stages, failure, durationMs }: AttemptRecord): Lane {
  const reached = stages
    .flatMap(({ stage, atMs, evidence }) => (atMs === null ? [] : [{ stage, atMs, evidence }]))
    .sort((a, b) => a.atMs - b.atMs);
  const spans = reached.map(({ stage, atMs, evidence }, index): Span => {
    const startMs = reached[index - 1]?.atMs ?? 0;
    const detail = `${stage} at ${duration(atMs)}, after ${duration(atMs - startMs)}${evidence ? `: ${evidence}` : ''}`;
    return { startMs, endMs: atMs, kind: 'reached', label: stage, detail };
  });
  const missing = stages.find((stage) => !stage.reached);
  const startMs = reached.at(-1)?.atMs ?? 0;
  const endMs = Math.max(failure?.atMs ?? durationMs, startMs);
  if (missing) {
    const detail = `${missing.stage} was not reached${failure ? `: ${failure.text}` : ''}`;
    spans.push({ startMs, endMs, kind: 'stopped', label: `no ${missing.stage}`, detail });
  }
  return { name: 'stages', mostRows: 3, isSequence: true, spans, ticks: [] };
}
