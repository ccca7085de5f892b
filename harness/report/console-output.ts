import { styleText } from 'node:util';
import { expectedFindings } from '../model/expectation.ts';
import { type ServerFinding, serverFindingText } from '../model/server-findings.ts';
import { seconds } from '../model/time-text.ts';
import type { CaseResult, RunResult, Status } from '../model/verdict.ts';
import { type Compare, comparisonLines } from './comparison.ts';
import { clip, printable } from './printable.ts';
import {
  costLine,
  notRunReasons,
  type RunPlace,
  reproCommand,
  seenFrom,
  statusWords,
  totalsLine,
  troubleStatuses,
} from './run-facts.ts';

/** Where a console reporter writes; the command line gives it standard error or output. */
export interface ConsoleOutput {
  write(text: string): void;
  /** `undefined` if it is not a terminal. */
  columns: number | undefined;
  rows: number | undefined;
  /** Colours and cursor movement may be used. */
  colour: boolean;
}

export const printLines = ({ write }: Pick<ConsoleOutput, 'write'>, lines: readonly string[]): void =>
  write(lines.map((line) => `${line}\n`).join(''));

const colours = {
  passed: 'green',
  failed: 'red',
  flaky: 'yellow',
  error: 'magenta',
  'not-run': 'yellow',
  waiting: 'gray',
  interrupted: 'yellow',
} as const satisfies Record<Status, string>;

function paintStatus(status: Status, colour: boolean): string {
  const word = statusWords[status].padEnd(11);
  // Whether to use colours was decided when the stream was opened.
  return colour ? styleText(colours[status], word, { validateStream: false }) : word;
}

const serverLine = (finding: ServerFinding): string => `    ${clip(printable(serverFindingText(finding)), 500)}`;

/** A finished case in a line, its diagnosis where it is needed, and what was found about a server of the user's. */
export function caseLines(
  result: CaseResult,
  { done, total, colour }: { done: number; total: number; colour: boolean },
): string[] {
  const { id, verdict, run } = result;
  const { status, stoppedAt, diagnosis } = verdict;
  const count = `[${String(done).padStart(String(total).length)}/${total}]`;
  const stop = status === 'passed' && stoppedAt !== null ? ` (stops at ${stoppedAt}, as expected)` : '';
  const time = run.attempts.length === 0 ? '' : ` ${seconds(run.durationMs)}`;
  const expected = expectedFindings(result.scenario.expect);
  const unexpected = (verdict.serverFindings ?? []).filter(({ name }) => !expected.includes(name));
  const why = status !== 'passed' && diagnosis !== null ? [`    ${clip(printable(diagnosis), 500)}`] : [];
  return [`${count} ${paintStatus(status, colour)} ${id}${time}${stop}`, ...why, ...unexpected.map(serverLine)];
}

/** Waiting cells are no problem, so they are only counted. */
function waitingLine({ totals }: RunResult): string[] {
  return totals.waiting > 0 ? [`${totals.waiting} waiting for a set of yours; summary.md says what for`] : [];
}

const shownTrouble = 20;
const shownReasons = 8;

/** The last lines of a run: what was not as expected, what was not run, totals, cost, and where the results are. */
export function closingLines(result: RunResult, place: RunPlace, colour: boolean, compare?: Compare): string[] {
  const troubled = compare?.decides
    ? []
    : result.cases.filter(({ verdict }) => troubleStatuses.includes(verdict.status));
  const reasons = notRunReasons(result, 'not-run');
  const more = (count: number, shown: number) => (count > shown ? [`  … and ${count - shown} more in summary.md`] : []);
  return [
    '',
    ...troubled
      .slice(0, shownTrouble)
      .flatMap((one) => [
        `${paintStatus(one.verdict.status, colour)} ${one.id}`,
        `    again: ${reproCommand(one, place)}`,
      ]),
    ...more(troubled.length, shownTrouble),
    ...(reasons.length > 0
      ? [`${result.totals['not-run']} not run, which fails the run unless --allow-not-run is given:`]
      : []),
    ...reasons.slice(0, shownReasons).map(({ reason, ids }) => `  ${ids.length} × ${clip(printable(reason), 300)}`),
    ...more(reasons.length, shownReasons),
    ...waitingLine(result),
    ...result.notes.map((note) => `note: ${printable(note)}`),
    ...(compare?.of(result) ?? []).flatMap((comparison) => [...comparisonLines(comparison), '']),
    totalsLine(result),
    costLine(result),
    `results: ${seenFrom(place.cwd, place.outDir)}/report.html, summary.md, results.json, junit.xml, configurations.md`,
  ];
}
