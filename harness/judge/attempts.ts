import type { Verdict } from '../model/verdict.ts';

/**
 * The verdict of a case over its attempts; there is a second only if the first failed. It is the first one's, unless the
 * second passed (`flaky`) or was interrupted.
 */
export function verdictOver(first: Verdict, second: Verdict | undefined): Verdict {
  if (first.status !== 'failed' || second === undefined) return first;
  if (second.status === 'passed') return { ...first, status: 'flaky' };
  if (second.status !== 'interrupted') return first;
  const diagnosis = `Interrupted before a second attempt could show whether this happens every time. ${first.diagnosis}`;
  return { ...first, status: 'interrupted', diagnosis };
}
