import type { Comparison } from '../compare/compare.ts';
import { axisText } from '../model/axis-text.ts';
import { isStandIn, standInText } from '../model/configuration-text.ts';
import { seconds } from '../model/time-text.ts';
import { type CaseResult, findingTexts, type RunResult } from '../model/verdict.ts';
import { comparisonMarkdown } from './comparison.ts';
import { code, html, inline, table } from './markdown.ts';
import { legend, signOf, signsOf } from './marks.ts';
import {
  costLine,
  expectationText,
  notRunReasons,
  type RunPlace,
  reproCommand,
  statusWords,
  totalsLine,
  troubleStatuses,
} from './run-facts.ts';

function grid(cases: readonly CaseResult[]): string[] {
  const romOf = (one: CaseResult) => axisText(one.scenario, 'rom') + (isStandIn(one) ? ` (${standInText})` : '');
  const rowOf = (one: CaseResult) => `${code(one.scenario.nic)} | ${inline(romOf(one))}`;
  const columnOf = ({ scenario }: CaseResult) => {
    const { arch, set } = scenario;
    return `${arch}<br>${inline(axisText(scenario, 'firmware'))}${set === 'host' ? '' : `<br>${inline(set)}`}`;
  };
  const columns = [...new Set(cases.map(columnOf))].sort();
  const rows = [...new Set(cases.map(rowOf))].sort();
  const at = (row: string, column: string) =>
    cases.filter((result) => rowOf(result) === row && columnOf(result) === column);
  return [
    ...table(
      ['NIC', 'ROM', ...columns],
      rows.map((row) => [row, ...columns.map((column) => signsOf(at(row, column)))]),
    ),
    '',
    legend(cases),
  ];
}

function trouble(result: CaseResult, place: RunPlace): string[] {
  const { status, lastStage, stoppedAt, diagnosis, failure } = result.verdict;
  const reached = lastStage === null ? 'no stage reached' : `last stage ${lastStage}`;
  return [
    `### ${signOf(result)} ${code(result.id)}`,
    '',
    `${statusWords[status]}: ${reached}${stoppedAt === null ? '' : `, stopped at ${stoppedAt}`}, ${seconds(result.run.durationMs)}`,
    '',
    `- expected: ${inline(expectationText(result.scenario.expect))}`,
    ...(diagnosis === null ? [] : [`- diagnosis: ${inline(diagnosis, 1000)}`]),
    ...(failure === null ? [] : [`- seen: ${inline(failure.text)}`]),
    ...findingTexts(result.verdict).map((finding) => `- also: ${inline(finding)}`),
    `- again: ${code(reproCommand(result, place))}`,
    '',
  ];
}

function notRun(result: RunResult, status: 'not-run' | 'waiting', title: string): string[] {
  const reasons = notRunReasons(result, status);
  if (reasons.length === 0) return [];
  const lines = reasons.flatMap(({ reason, ids }) => [
    `<details><summary>${ids.length} × ${html(reason)}</summary>`,
    '',
    ...ids.map((id) => `- ${code(id)}`),
    '',
    '</details>',
    '',
  ]);
  return [`## ${title}`, '', ...lines];
}

function findings(cases: readonly CaseResult[]): string[] {
  const odd = cases.filter(
    ({ verdict }) => findingTexts(verdict).length > 0 && !troubleStatuses.includes(verdict.status),
  );
  if (odd.length === 0) return [];
  const lines = odd.flatMap(({ id, verdict }) =>
    findingTexts(verdict).map((finding) => `- ${code(id)}: ${inline(finding)}`),
  );
  return ['## Findings in cases that passed', '', ...lines, ''];
}

/** summary.md: the grid, then what was not as expected, then what was not run and why. */
export function summaryMarkdown(result: RunResult, place: RunPlace, comparisons: readonly Comparison[] = []): string {
  const troubled = result.cases.filter(({ verdict }) => troubleStatuses.includes(verdict.status));
  return [
    `# ${inline(result.matrix)}`,
    '',
    `**${totalsLine(result)}**`,
    '',
    costLine(result),
    '',
    ...(result.cases.length > 0 ? [...grid(result.cases), ''] : []),
    ...comparisons.flatMap((comparison) => [comparisonMarkdown(comparison), '']),
    ...(troubled.length > 0 ? ['## Not as expected', ''] : []),
    ...troubled.flatMap((one) => trouble(one, place)),
    ...notRun(result, 'not-run', 'Not run'),
    ...notRun(result, 'waiting', 'Waiting for a set of yours'),
    ...findings(result.cases),
    ...(result.notes.length > 0 ? ['## Notes', '', ...result.notes.map((note) => `- ${inline(note, 1000)}`), ''] : []),
  ].join('\n');
}
