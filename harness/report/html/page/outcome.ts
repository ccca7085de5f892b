import type { Status } from '../../../model/verdict.ts';
import type { CaseSummary } from '../report-data.ts';
import { h } from './dom.ts';

/** How a case ended, as the page shows it: a pass that was to stop is distinguished from a boot that went all the way. */
export type Outcome = Status | 'stopped';

interface Look {
  /** In a cell of the grid; colour alone says nothing to many. */
  sign: string;
  word: string;
  meaning: string;
}

export const outcomes: Record<Outcome, Look> = {
  failed: { sign: '✕', word: 'failed', meaning: 'not as expected' },
  flaky: { sign: '~', word: 'flaky', meaning: 'failed, then passed' },
  error: { sign: '!', word: 'error', meaning: 'the harness could not tell' },
  interrupted: { sign: '‖', word: 'interrupted', meaning: 'the run was stopped first' },
  passed: { sign: '', word: 'booted', meaning: 'booted, as expected' },
  stopped: { sign: '–', word: 'stopped', meaning: 'stopped where expected' },
  'not-run': { sign: '', word: 'not run', meaning: 'not run' },
  waiting: { sign: '', word: 'waiting', meaning: 'waiting for a set of yours' },
};
export const outcomeOrder = Object.keys(outcomes) as Outcome[];

export function outcomeOf({ status, stoppedAt }: Pick<CaseSummary, 'status' | 'stoppedAt'>): Outcome {
  return status === 'passed' && stoppedAt !== null ? 'stopped' : status;
}

/** No guest was started for it, and none was to be. */
export const isUnrun = ({ status }: Pick<CaseSummary, 'status'>): boolean =>
  status === 'not-run' || status === 'waiting';

const troubles: readonly Outcome[] = ['failed', 'flaky', 'error', 'interrupted'];
export const isTrouble = (one: CaseSummary): boolean => troubles.includes(outcomeOf(one));

/** The coloured square that stands for an outcome everywhere. */
export function square(outcome: Outcome): HTMLElement {
  return h('span', { class: `square ${outcome}`, 'aria-hidden': 'true' }, outcomes[outcome].sign);
}

export function badge(outcome: Outcome): HTMLElement {
  return h('span', { class: `badge ${outcome}` }, outcomes[outcome].word);
}
