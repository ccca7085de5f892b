import {
  type Expectation,
  type ExpectedFailure,
  expectedFailureText,
  isExpected,
  isOverdue,
} from '../model/expectation.ts';
import type { FailureRule } from '../model/failure-rules.ts';
import type { Stage } from '../model/stages.ts';
import type { Failure } from '../model/verdict.ts';

interface Outcome {
  /** First stage of the path not reached; null when the path was completed. */
  stoppedAt: Stage | null;
  ending: Failure | null;
  /** The last remarks in force when the boot ended. */
  remarks: readonly Failure[];
  /** When the guest was started (ISO 8601, UTC). */
  startedAt: string | undefined;
}

/** Ends not brought about by the guest: its earlier remarks do not explain them. */
const givenUp: readonly string[] = ['deadline', 'guest-flood', 'silent'] satisfies FailureRule[];

/** What ended the boot and, if the guest got there by itself, its last remarks. */
const causesOf = ({ ending, remarks }: Outcome): Failure[] =>
  ending === null ? [] : [ending, ...(givenUp.includes(ending.rule) ? [] : remarks)];

const seenText = ({ rule, text }: Failure): string => `${rule} "${text}"`;

function endText(causes: readonly Failure[]): string {
  const [ending, ...remarks] = causes.map(seenText);
  if (ending === undefined) return 'no recorded failure explains the stop';
  return `it stopped with ${ending}${remarks.length > 0 ? `, after ${remarks.join(' and ')}` : ''}`;
}

const wantedText = (failure: readonly ExpectedFailure[]): string => failure.map(expectedFailureText).join(' or ');

interface Comparison {
  asExpected: boolean;
  /** How it differs, where the stop does not already say. */
  why?: string;
}

const differs = (why: string): Comparison => ({ asExpected: false, why });

/** A stop as expected, accepted for as long as the expectation says. */
function stillAccepted(expected: Extract<Expectation, { stopsAt: unknown }>, { startedAt }: Outcome): Comparison {
  const { until, reference, stopsAt } = expected;
  if (until === undefined) return { asExpected: true };
  if (startedAt === undefined)
    return differs(`its stop at ${stopsAt} is accepted until ${until}, and its log has no date`);
  if (!isOverdue(expected, startedAt)) return { asExpected: true };
  return differs(
    `its stop at ${stopsAt} was accepted until ${until} (${reference}), and it still stops there: overdue`,
  );
}

export function compareWith(expected: Expectation, outcome: Outcome): Comparison {
  const { stoppedAt } = outcome;
  if ('notApplicable' in expected) return differs('this cell is declared not applicable');
  if ('reaches' in expected) return { asExpected: stoppedAt === null };
  const { stopsAt, failure, reason } = expected;
  if (stoppedAt === null)
    return differs(`it was expected to stop at ${stopsAt} (${reason}), and it reached its last stage`);
  if (stoppedAt !== stopsAt) return differs(`it was expected to stop at ${stopsAt} (${reason})`);
  const causes = causesOf(outcome);
  if (failure.some((one) => causes.some((cause) => isExpected(one, cause)))) return stillAccepted(expected, outcome);
  return differs(`it was expected to stop with ${wantedText(failure)} (${reason}), and ${endText(causes)}`);
}
