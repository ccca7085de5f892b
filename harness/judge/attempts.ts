import type { Verdict } from '../model/verdict.ts';

/**
 * The verdict of a case over its attempts, of which there is a second only where the first has failed: the first one's,
 * unless the second shows that it does not happen every time, or was kept from showing it.
 */
export function verdictOver(first: Verdict, second: Verdict | undefined): Verdict {
  if (first.status !== 'failed' || second === undefined) return first;
  if (second.status === 'passed') return { ...first, status: 'flaky' };
  if (second.status !== 'interrupted') return first;
  const diagnosis = `Interrupted before a second attempt told whether this happens every time. ${first.diagnosis}`;
  return { ...first, status: 'interrupted', diagnosis };
}
