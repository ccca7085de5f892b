import { Option } from 'commander';
import { type ChangeClass, type Comparison, changeClasses, comparePairs, failingClasses } from '../compare/compare.ts';
import { joinAxis, joinRuns } from '../compare/join.ts';
import { axisText } from '../model/axis-text.ts';
import { HarnessError } from '../model/errors.ts';
import type { RunResult } from '../model/verdict.ts';
import type { Compare } from '../report/comparison.ts';
import { readResults } from '../run/records/read-results.ts';
import type { ExitCode } from './exit-code.ts';

export interface FailOn {
  failOn: (ChangeClass | 'none')[];
}

function parseClasses(text: string): FailOn['failOn'] {
  if (text === 'none') return ['none'];
  const names = text.split(',');
  const wrong = names.find((name) => !(changeClasses as readonly string[]).includes(name));
  if (wrong === undefined) return names as ChangeClass[];
  throw new HarnessError('usage', `--fail-on: unknown class of changes "${wrong}"`, {
    hint: `Classes are ${changeClasses.join(', ')}; "none" never fails.`,
  });
}

export const failOnOption = (): Option =>
  new Option('--fail-on <classes>', 'classes of changes for which the exit code is 1, or none')
    .argParser(parseClasses)
    .default([...failingClasses], failingClasses.join(','));

export function exitCodeOfComparisons(comparisons: readonly Comparison[], { failOn }: FailOn): ExitCode {
  return comparisons.some(({ changes }) => changes.some(({ class: name }) => failOn.includes(name))) ? 1 : 0;
}

/** Compares a finished run with an earlier one, leaving out cells that the run had not chosen. */
export function compareWithBaseline(path: string): Compare {
  const baseline = readResults(path);
  return {
    decides: true,
    of: (result) => [comparePairs(joinRuns(baseline, result).filter(({ after }) => after.length > 0))],
  };
}

/** Compares what cells did on the first of these sets with what they did on each of the others. */
export function compareSets([first, ...others]: readonly string[] = []): Compare {
  const compareWith = (result: RunResult, other: string): Comparison[] => {
    const pairs = first === undefined ? [] : joinAxis(result, 'set', [first, other], axisText);
    if (pairs.length === 0) return [];
    const comparison = comparePairs(pairs);
    const isSame = comparison.changes.every(({ inputs }) => inputs.length === 0);
    const notes = isSame ? [...comparison.notes, 'every cell used the same files from both sets'] : comparison.notes;
    return [{ ...comparison, sides: [`set ${first}`, `set ${other}`], notes }];
  };
  return { decides: false, of: (result) => others.flatMap((other) => compareWith(result, other)) };
}
