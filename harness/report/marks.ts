import type { CaseResult, Status } from '../model/verdict.ts';

type Mark = Status | 'stopped';

/** A pass that stopped where expected is distinguished from a boot that went all the way. */
const marks: Record<Mark, { sign: string; meaning: string }> = {
  passed: { sign: '✅', meaning: 'booted, as expected' },
  stopped: { sign: '🛑', meaning: 'stopped, as expected' },
  failed: { sign: '❌', meaning: 'not as expected' },
  flaky: { sign: '🎲', meaning: 'failed, then passed' },
  error: { sign: '💥', meaning: 'the harness could not tell' },
  'not-run': { sign: '⏭️', meaning: 'not run' },
  waiting: { sign: '⏳', meaning: 'waiting for a set of yours' },
  interrupted: { sign: '✋', meaning: 'interrupted' },
};
const markOrder = Object.keys(marks) as Mark[];

function markOf({ verdict: { status, stoppedAt } }: CaseResult): Mark {
  return status === 'passed' && stoppedAt !== null ? 'stopped' : status;
}

export function signOf(result: CaseResult): string {
  return marks[markOf(result)].sign;
}

/** One cell of a grid: a sign for each outcome, with a count where several cases share the cell. */
export function signsOf(cases: readonly CaseResult[]): string {
  return markOrder
    .map((mark) => ({ mark, count: cases.filter((result) => markOf(result) === mark).length }))
    .filter(({ count }) => count > 0)
    .map(({ mark, count }) => marks[mark].sign + (cases.length > 1 ? ` ${count}` : ''))
    .join(' ');
}

/** What the signs used for these cases mean. */
export function legend(cases: readonly CaseResult[]): string {
  return markOrder
    .filter((mark) => cases.some((result) => markOf(result) === mark))
    .map((mark) => `${marks[mark].sign} ${marks[mark].meaning}`)
    .join(' · ');
}
