import type { Reporter } from '../model/reporter.ts';
import type { Compare } from './comparison.ts';
import { type ConsoleOutput, caseLines, closingLines, printLines } from './console-output.ts';
import { type Invocation, openingLine } from './run-facts.ts';

/** For logs: a line per finished case. */
export function plainReporter(output: ConsoleOutput, invocation: Invocation, compare?: Compare): Reporter {
  const { colour } = output;
  const say = (lines: readonly string[]) => printLines(output, lines);
  let total = 0;
  let done = 0;
  let outDir = '';
  return {
    onRunStart(run) {
      ({ total, outDir } = run);
      say([openingLine(run)]);
    },
    onCaseEnd(result) {
      done += 1;
      say(caseLines(result, { done, total, colour }));
    },
    onRunEnd(result) {
      say(closingLines(result, { ...invocation, outDir }, colour, compare));
    },
  };
}
