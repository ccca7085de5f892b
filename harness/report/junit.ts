import { seconds } from '../model/time-text.ts';
import { type CaseResult, findingTexts, type RunResult, type Status } from '../model/verdict.ts';
import { evidenceLine, expectationText, type RunPlace, reproCommand } from './run-facts.ts';

/** What XML 1.0 §2.2 does not allow, not even escaped; lone surrogates among it. */
const forbidden = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

function attribute(text: string): string {
  return text.replace(forbidden, '\ufffd').replace(/[&<>"\t\n\r]/g, (char) => entities[char] ?? char);
}

function content(text: string): string {
  return text.replace(forbidden, '\ufffd').replace(/[&<>\r]/g, (char) => entities[char] ?? char);
}

function attributes(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${attribute(String(value))}"`)
    .join('');
}

function body(result: CaseResult, place: RunPlace): string {
  const { scenario, verdict } = result;
  const stages = verdict.stages.map(({ stage, reached, atMs, evidence }) =>
    reached ? `  ${stage} at ${seconds(atMs ?? 0)}: ${evidence ?? ''}` : `  ${stage}: not reached`,
  );
  return [
    verdict.diagnosis ?? evidenceLine(result),
    `expected: ${expectationText(scenario.expect)}`,
    ...(verdict.failure === null ? [] : [`seen: ${verdict.failure.text}`]),
    ...findingTexts(verdict).map((finding) => `also: ${finding}`),
    'stages:',
    ...stages,
    `again: ${reproCommand(result, place)}`,
  ].join('\n');
}

const unrun: readonly Status[] = ['not-run', 'waiting', 'interrupted'];

function outcome(result: CaseResult, place: RunPlace): string {
  const { status, diagnosis, failure } = result.verdict;
  const message = diagnosis ?? status;
  if (status === 'passed') return '';
  if (unrun.includes(status)) {
    return `<skipped${attributes({ message: status === 'interrupted' ? status : message })}/>`;
  }
  const element = status === 'error' ? 'error' : 'failure';
  const type = status === 'failed' ? (failure?.rule ?? 'unexpected') : status;
  return `<${element}${attributes({ message, type })}>${content(body(result, place))}</${element}>`;
}

function counts(cases: readonly CaseResult[]): Record<string, number | string> {
  const count = (...statuses: Status[]) => cases.filter(({ verdict }) => statuses.includes(verdict.status)).length;
  return {
    tests: cases.length,
    failures: count('failed', 'flaky'),
    errors: count('error'),
    skipped: count(...unrun),
    time: (cases.reduce((sum, { run }) => sum + run.durationMs, 0) / 1000).toFixed(3),
  };
}

function testcase(result: CaseResult, place: RunPlace): string {
  const name = result.id;
  const classname = result.scenario.group;
  const time = (result.run.durationMs / 1000).toFixed(3);
  return `    <testcase${attributes({ name, classname, time })}>${outcome(result, place)}</testcase>`;
}

/** junit.xml as CI systems read it: a suite per group, a testcase per case; flaky is a failure, not run is skipped. */
export function junitXml(result: RunResult, place: RunPlace): string {
  const groups = [...new Set(result.cases.map(({ scenario }) => scenario.group))];
  const suites = groups.flatMap((name) => {
    const cases = result.cases.filter(({ scenario }) => scenario.group === name);
    const head = attributes({ name, timestamp: result.startedAt, ...counts(cases) });
    return [`  <testsuite${head}>`, ...cases.map((one) => testcase(one, place)), '  </testsuite>'];
  });
  const head = attributes({ name: result.matrix, ...counts(result.cases), time: (result.wallMs / 1000).toFixed(3) });
  return ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites${head}>`, ...suites, '</testsuites>', ''].join('\n');
}
