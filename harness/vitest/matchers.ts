import { expect } from 'vitest';
import type { Configuration } from '../model/axes.ts';
import { followDeliveries } from '../model/deliveries.ts';
import type { HarnessEvent } from '../model/events.ts';
import { type ExpectedFailure, expectedFailureText, isExpected } from '../model/expectation.ts';
import { globMatches } from '../model/glob.ts';
import type { Stage } from '../model/stages.ts';
import type { Status } from '../model/verdict.ts';
import type { BootedCase } from './boot-case.ts';

/** What ended the boot: a rule of the harness, and where that is generic, what it says (a pattern in RE2's syntax). */
export type ExpectedStop = ExpectedFailure;

export interface CaseMatchers<R = unknown> {
  /** The stage was reached, on evidence. */
  toReach(stage: Stage): R;
  /** The stage was the first of the case's path that was not reached, for this reason if one is given. */
  toStopAt(stage: Stage, failure?: ExpectedStop): R;
  /** The evidence shows this of the six configurations. */
  toHaveObservedConfiguration(configuration: Configuration): R;
  /** A served file was delivered whole: its name, or a pattern with `*`. */
  toHaveFetched(name: string): R;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: must be declared as vitest declares it
  interface Matchers<T = any> extends CaseMatchers<T> {}
}

const untold: readonly Status[] = ['error', 'not-run', 'waiting', 'interrupted'];

/** Of a boot that nothing can be said about, neither a statement nor its opposite holds. */
function refuseUntold({ id, verdict: { status, diagnosis } }: BootedCase): void {
  if (untold.includes(status))
    throw new Error(`${id}: nothing can be said of this boot (${status}): ${diagnosis ?? ''}`);
}

interface Outcome {
  pass: boolean;
  /** Follows "expected CASE (not) to". */
  what: string;
  saw: string;
}

function outcome(booted: BootedCase, isNot: boolean, { pass, what, saw }: Outcome) {
  const lines = [
    `expected ${booted.id} ${isNot ? 'not ' : ''}to ${what}, saw ${saw}`,
    ...(booted.verdict.diagnosis === null ? [] : [booted.verdict.diagnosis]),
    ...(booted.directory === undefined ? [] : [`records: ${booted.directory}`]),
  ];
  return { pass, message: () => lines.join('\n') };
}

const lastStageText = ({ verdict: { lastStage } }: BootedCase): string =>
  lastStage === null ? 'no stage reached' : `${lastStage} as the last stage reached`;

function stopText({ verdict: { stoppedAt, failure } }: BootedCase): string {
  const reason = failure === null ? '' : ` (${failure.rule}: ${failure.text})`;
  return stoppedAt === null ? 'every stage reached' : `a stop at ${stoppedAt}${reason}`;
}

/** Names of the files delivered whole, as the rules count them. */
function fetchedNames(events: readonly HarnessEvent[]): string[] {
  const names = events.map(followDeliveries()).flatMap((delivery) => delivery?.name ?? []);
  return [...new Set(names)];
}

expect.extend({
  toReach(booted: BootedCase, stage: Stage) {
    refuseUntold(booted);
    const { stages } = booted.verdict;
    const found = stages.find((one) => one.stage === stage);
    if (found === undefined) {
      const path = stages.map((one) => one.stage).join(', ');
      throw new Error(`${booted.id}: ${stage} is no stage of its path (${path})`);
    }
    return outcome(booted, this.isNot, { pass: found.reached, what: `reach ${stage}`, saw: lastStageText(booted) });
  },
  toStopAt(booted: BootedCase, stage: Stage, failure?: ExpectedStop) {
    refuseUntold(booted);
    const { stoppedAt, failure: seen } = booted.verdict;
    const isReason = failure === undefined || (seen !== null && isExpected(failure, seen));
    return outcome(booted, this.isNot, {
      pass: stoppedAt === stage && isReason,
      what: `stop at ${stage}${failure === undefined ? '' : ` by ${expectedFailureText(failure)}`}`,
      saw: stopText(booted),
    });
  },
  toHaveObservedConfiguration(booted: BootedCase, configuration: Configuration) {
    refuseUntold(booted);
    const { observedConfiguration } = booted.verdict;
    return outcome(booted, this.isNot, {
      pass: observedConfiguration === configuration,
      what: `be configuration ${configuration}`,
      saw: observedConfiguration === null ? 'no evidence of any' : `configuration ${observedConfiguration}`,
    });
  },
  toHaveFetched(booted: BootedCase, name: string) {
    refuseUntold(booted);
    const fetched = fetchedNames(booted.events);
    return outcome(booted, this.isNot, {
      pass: fetched.some((one) => globMatches(name, one)),
      what: `fetch ${name}`,
      saw: fetched.length === 0 ? 'nothing fetched' : fetched.join(', '),
    });
  },
});
