import type { RunResult, Status, Verdict } from '../model/verdict.ts';

/** 0 all as expected, 1 something was not, 2 usage, 3 could not run, 130 interrupted; 125 and 128 for `git bisect run`. */
export type ExitCode = 0 | 1 | 2 | 3 | 125 | 128 | 130;

/**
 * A case that was not run proves nothing, and the run must not look as if it did; one that waits for a set of the user's
 * does not count, as long as others ran.
 */
export function exitCodeOfCases(
  cases: readonly Pick<Verdict, 'status'>[],
  { allowNotRun = false }: { allowNotRun?: boolean } = {},
): ExitCode {
  const some = (...statuses: Status[]) => cases.some(({ status }) => statuses.includes(status));
  if (some('interrupted')) return 130;
  if (some('failed', 'flaky')) return 1;
  if (some('error') || (some('not-run') && !allowNotRun)) return 3;
  return cases.length > 0 && !some('passed') ? 3 : 0;
}

/** A run whose reports failed has failed, however its boots went. */
export function exitCodeOfRun(
  { cases }: Pick<RunResult, 'cases'>,
  reporterFailures: readonly string[],
  options?: { allowNotRun?: boolean },
): ExitCode {
  const code = exitCodeOfCases(
    cases.map(({ verdict }) => verdict),
    options,
  );
  return code === 0 && reporterFailures.length > 0 ? 1 : code;
}
