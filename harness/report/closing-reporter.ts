import type { Reporter } from '../model/reporter.ts';
import type { Compare } from './comparison.ts';
import { type ConsoleOutput, closingLines, printLines } from './console-output.ts';
import type { Invocation } from './run-facts.ts';

/** For a run that has finished: only its totals, and what was not as expected. */
export function closingReporter(output: ConsoleOutput, invocation: Invocation, compare?: Compare): Reporter {
  let outDir = '';
  return {
    onRunStart(run) {
      ({ outDir } = run);
    },
    onRunEnd(result) {
      printLines(output, closingLines(result, { ...invocation, outDir }, output.colour, compare));
    },
  };
}
