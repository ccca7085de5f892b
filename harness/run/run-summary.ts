import { cellId } from '../model/case-id.ts';
import { type CaseResult, type Status, statuses } from '../model/verdict.ts';

export function countStatuses(cases: readonly CaseResult[]): Record<Status, number> {
  const totals = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<Status, number>;
  for (const { status } of cases) totals[status]++;
  return totals;
}

/** Whether cells agreed with themselves over `--repeat`; nothing to say of a single round. */
export function agreementNotes(cases: readonly CaseResult[], repeat: number): string[] {
  if (repeat < 2) return [];
  const seen = new Map<string, Set<string>>();
  for (const { id, status, stoppedAt } of cases) {
    const cell = cellId(id);
    seen.set(cell, (seen.get(cell) ?? new Set()).add(`${status}${stoppedAt ? ` at ${stoppedAt}` : ''}`));
  }
  const differing = [...seen].filter(([, outcomes]) => outcomes.size > 1);
  return differing.length === 0
    ? [`all ${seen.size} cells agree with themselves over ${repeat} repeats`]
    : differing.map(([cell, outcomes]) => `${cell} differs from itself: ${[...outcomes].join(', ')}`);
}
