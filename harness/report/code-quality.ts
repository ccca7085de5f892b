import { createHash } from 'node:crypto';
import type { CaseResult, RunResult, Status } from '../model/verdict.ts';
import type { SourcePlace } from './github-reporter.ts';
import { clip, printable } from './printable.ts';
import { statusWords, troubleStatuses } from './run-facts.ts';

/** GitLab's words, by what happened. */
const severities: Partial<Record<Status, string>> = {
  failed: 'major',
  flaky: 'minor',
  error: 'critical',
  interrupted: 'info',
};

function issue({ id, scenario, verdict }: CaseResult, place: SourcePlace) {
  const { status, failure, diagnosis } = verdict;
  const check = failure?.rule ?? status;
  return {
    description: clip(printable(`${statusWords[status]}: ${id}: ${diagnosis ?? ''}`), 1000),
    check_name: check,
    // The same trouble of the same case is the same issue in the next pipeline.
    fingerprint: createHash('sha256').update([scenario.id, status, check].join('\0')).digest('hex'),
    severity: severities[status] ?? 'info',
    location: { path: place.file, lines: { begin: place.line } },
  };
}

/** GitLab's code quality report: an issue for each case that was not as expected. */
export function codeQualityJson(result: RunResult, locate: (group: string) => SourcePlace): string {
  const troubled = result.cases.filter(({ verdict }) => troubleStatuses.includes(verdict.status));
  return `${JSON.stringify(
    troubled.map((one) => issue(one, locate(one.scenario.group))),
    null,
    2,
  )}\n`;
}
