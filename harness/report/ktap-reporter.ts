import type { Reporter } from '../model/reporter.ts';
import { seconds } from '../model/time-text.ts';
import type { CaseResult } from '../model/verdict.ts';
import { type ConsoleOutput, printLines } from './console-output.ts';
import { clip, printable } from './printable.ts';
import { costLine, expectationText, statusWords, totalsLine } from './run-facts.ts';

/** A number sign would begin a directive. */
const plain = (text: string): string => clip(printable(text).replaceAll('#', '·'), 500);

function resultLine({ id, verdict: { status, diagnosis } }: CaseResult, number: number): string {
  if (status === 'not-run' || status === 'waiting')
    return `ok ${number} ${id} # SKIP ${plain(diagnosis ?? statusWords[status])}`;
  return `${status === 'passed' ? 'ok' : 'not ok'} ${number} ${id}`;
}

function remarks({ scenario, verdict, run }: CaseResult): string[] {
  const { status, lastStage, stoppedAt, diagnosis } = verdict;
  if (status === 'not-run' || status === 'waiting') return [];
  const stop = stoppedAt === null ? '' : `, stopped at ${stoppedAt}`;
  const facts = `${statusWords[status]}: last stage ${lastStage ?? 'none'}${stop}, ${seconds(run.durationMs)}`;
  if (status === 'passed') return [facts];
  return [facts, `expected: ${expectationText(scenario.expect)}`, ...(diagnosis === null ? [] : [diagnosis])];
}

/** KTAP (Documentation/dev-tools/ktap.rst of Linux): a result for each case as it ends; flaky, errors and interruptions are not ok. */
export function ktapReporter(output: Pick<ConsoleOutput, 'write'>): Reporter {
  const say = (lines: readonly string[]) => printLines(output, lines);
  let ended = 0;
  return {
    onRunStart({ total }) {
      say(['KTAP version 1', `1..${total}`]);
    },
    onCaseEnd(result) {
      ended += 1;
      say([resultLine(result, ended), ...remarks(result).map((remark) => `# ${plain(remark)}`)]);
    },
    onRunEnd(result) {
      say([...result.notes, totalsLine(result), costLine(result)].map((line) => `# ${plain(line)}`));
    },
  };
}
