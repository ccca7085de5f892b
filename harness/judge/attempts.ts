import type { Status, Verdict } from '../model/verdict.ts';

/** Why a second attempt leaves open whether the first one's failure happens every time. */
const leftOpen: Partial<Record<Status, (second: Verdict) => string>> = {
  interrupted: () => 'Interrupted before a second attempt could show whether this happens every time.',
  error: ({ diagnosis }) =>
    `Failed, and a second attempt could not show whether this happens every time. ${diagnosis} The first attempt:`,
};

/**
 * The verdict of a case over its attempts; there is a second only if the first failed. It is the first one's, unless the
 * second passed (`flaky`), or could not show that it fails again (`interrupted`, `error`).
 */
export function verdictOver(first: Verdict, second: Verdict | undefined): Verdict {
  if (first.status !== 'failed' || second === undefined) return first;
  const { status } = second;
  if (status === 'passed') return { ...first, status: 'flaky' };
  const why = leftOpen[status]?.(second);
  return why === undefined ? first : { ...first, status, diagnosis: `${why} ${first.diagnosis}` };
}
