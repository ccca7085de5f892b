import type { Reporter } from '../model/reporter.ts';
import type { CaseResult, RunResult } from '../model/verdict.ts';
import type { Compare } from './comparison.ts';
import { type ConsoleOutput, caseLines, closingLines, printLines } from './console-output.ts';
import { clip, printable } from './printable.ts';
import {
  expectationText,
  type Invocation,
  notRunReasons,
  openingLine,
  statusWords,
  troubleStatuses,
} from './run-facts.ts';

/** A group's declaration: a path from the root of the repository, and its line. */
export interface SourcePlace {
  file: string;
  line: number;
}

export interface GithubOptions {
  output: ConsoleOutput;
  invocation: Invocation;
  compare?: Compare | undefined;
  /** Where the group of a case is declared, if that is known. */
  locate(group: string): SourcePlace | undefined;
  /** The rendered console of a case, by its directory relative to the run's; undefined if there is none. */
  consoleOf(outDir: string, directory: string): string | undefined;
}

/** GitHub shows ten annotations of a kind for a step. */
const maxAnnotations = 10;
const maxConsoleLines = 60;

/**
 * Runners take commands from output: `::command` at the start of a line, and `##[command]` anywhere in one. Guests print
 * what they like.
 */
const inert = (line: string): string => line.replace(/^(\s*):(?=:)/, '$1·').replaceAll('##[', '##·[');

const data = (text: string): string =>
  text.replaceAll('##[', '##·[').replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

function command(name: string, properties: Readonly<Record<string, string | number>>, message: string): string {
  const given = Object.entries(properties).map(([key, value]) => `${key}=${property(String(value))}`);
  return `::${name}${given.length > 0 ? ` ${given.join(',')}` : ''}::${data(message)}`;
}

function annotation(result: CaseResult, place: SourcePlace | undefined): string {
  const { id, scenario, verdict } = result;
  const { status, diagnosis } = verdict;
  const message = [diagnosis ?? status, `expected: ${expectationText(scenario.expect)}`].map((line) =>
    clip(printable(line), 1000),
  );
  const level = status === 'interrupted' ? 'warning' : 'error';
  return command(level, { ...place, title: `${statusWords[status]}: ${id}` }, message.join('\n'));
}

/** Annotations of what was not as expected, and of why cases were not run. */
function annotations(result: RunResult, locate: GithubOptions['locate']): string[] {
  const troubled = result.cases.filter(({ verdict }) => troubleStatuses.includes(verdict.status));
  const more = troubled.length - maxAnnotations;
  const notRun = notRunReasons(result, 'not-run').slice(0, maxAnnotations);
  return [
    ...troubled.slice(0, maxAnnotations).map((one) => annotation(one, locate(one.scenario.group))),
    ...(more > 0
      ? [command('notice', {}, `${more} more cases were not as expected; the job summary has them all`)]
      : []),
    ...notRun.map(({ reason, ids }) =>
      command('warning', { title: `${ids.length} not run` }, clip(printable(reason), 1000)),
    ),
  ];
}

/** For GitHub Actions: a log with a fold for each case that was not as expected, its console in it, and annotations. */
export function githubReporter({ output, invocation, compare, locate, consoleOf }: GithubOptions): Reporter {
  const say = (lines: readonly string[]) => printLines(output, lines);
  let total = 0;
  let done = 0;
  let outDir = '';

  function consoleLines({ run }: CaseResult): string[] {
    const text = run.directory === null ? undefined : consoleOf(outDir, run.directory);
    if (text === undefined) return [];
    const lines = text.trimEnd().split('\n');
    const left = lines.length - maxConsoleLines;
    return [
      ...(left > 0 ? [`… ${left} lines before; console.txt has them`] : []),
      ...lines.slice(-maxConsoleLines),
    ].map((line) => `  | ${clip(printable(line), 300)}`);
  }

  return {
    onRunStart(run) {
      ({ total, outDir } = run);
      say([inert(openingLine(run))]);
    },
    onCaseEnd(result) {
      done += 1;
      const [head = '', ...rest] = caseLines(result, { done, total, colour: false }).map(inert);
      if (!troubleStatuses.includes(result.verdict.status)) return say([head, ...rest]);
      say([command('group', {}, head), ...rest, ...consoleLines(result).map(inert), '::endgroup::']);
    },
    onRunEnd(result) {
      say(closingLines(result, { ...invocation, outDir }, false, compare).map(inert));
      say(annotations(result, locate));
    },
  };
}
