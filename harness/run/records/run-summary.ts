import { vagueExpectations } from '../../model/vague-expectations.ts';
import { type CaseResult, type Status, statuses } from '../../model/verdict.ts';
import type { RunRecord } from './run-directory.ts';

export function countStatuses(cases: readonly CaseResult[]): Record<Status, number> {
  const totals = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<Status, number>;
  for (const { verdict } of cases) totals[verdict.status]++;
  return totals;
}

/** Whether cells gave the same result in every round of `--repeat`; empty for a single round. */
function agreementNotes(cases: readonly CaseResult[], repeat: number): string[] {
  if (repeat < 2) return [];
  const seen = new Map<string, Set<string>>();
  for (const { scenario, verdict } of cases) {
    const cell = scenario.id;
    const { status, stoppedAt } = verdict;
    seen.set(cell, (seen.get(cell) ?? new Set()).add(`${status}${stoppedAt ? ` at ${stoppedAt}` : ''}`));
  }
  const differing = [...seen].filter(([, outcomes]) => outcomes.size > 1);
  return differing.length === 0
    ? [`all ${seen.size} cells agree with themselves over ${repeat} repeats`]
    : differing.map(([cell, outcomes]) => `${cell} differs from itself: ${[...outcomes].join(', ')}`);
}

/** Reuse is never silent: how many cases were not booted, and where their records come from. */
function reuseNotes(cases: readonly CaseResult[]): string[] {
  const from = cases.flatMap(({ run }) => run.reusedFrom ?? []);
  return [...new Set(from)].map((directory) => {
    const count = from.filter((one) => one === directory).length;
    return `${count} of ${cases.length} cases were not booted: their records are those of ${directory}`;
  });
}

/** What all results of a run together show. */
export const notesOf = (
  cases: readonly CaseResult[],
  { cells, repeat }: Pick<RunRecord, 'cells' | 'repeat'>,
): string[] => [...reuseNotes(cases), ...agreementNotes(cases, repeat), ...vagueExpectations(cells)];
