import type { AttemptRecord, CaseSummary } from '../../report-data.ts';
import { h } from '../dom.ts';
import { duration } from '../format.ts';
import { type Outcome, outcomeOf, outcomes } from '../outcome.ts';

/** How it ended, in a few words for the large heading. */
function verdictText(outcome: Outcome, { stoppedAt, lastStage }: CaseSummary): string {
  const end = stoppedAt === null ? `reached ${lastStage ?? 'nothing'}` : `stopped at ${stoppedAt}`;
  const texts: Record<Outcome, string> = {
    passed: `Booted to ${lastStage ?? 'the end'}`,
    stopped: `Stopped at ${stoppedAt}, as expected`,
    failed: stoppedAt === null ? `Reached ${lastStage}, which was not expected` : `Stopped at ${stoppedAt}`,
    flaky: `First ${end}, then did as expected`,
    error: 'The harness could not tell',
    'not-run': 'Not run',
    waiting: 'Waiting for a set of yours',
    interrupted: 'Interrupted',
  };
  return texts[outcome];
}

function configurationText({ declared, predicted, observed, standIn }: CaseSummary): string {
  const all = [
    `${declared ?? 'none'} declared`,
    ...(predicted !== null && predicted !== declared ? [`${predicted} predicted`] : []),
    `${observed ?? 'none'} observed`,
  ];
  const text = declared !== null && declared === observed ? `${declared}, as declared` : all.join(', ');
  return standIn ? `${text} (iPXE stands in for the vendor's ROM)` : text;
}

/** Verdict and diagnosis in large type, what was expected, and the facts next to them. */
export function verdictHeader(summary: CaseSummary, attempt: AttemptRecord | undefined): HTMLElement {
  const outcome = outcomeOf(summary);
  const { id, title, diagnosis, expected, findings, boots, durationMs, guestCpuMs } = summary;
  const facts: [string, string][] = [
    ['configuration', configurationText(summary)],
    ...(boots.length > 0
      ? ([['boots', boots.map(({ name, status }) => `${name} ${status}`).join(', ')]] as [string, string][])
      : []),
    ...(durationMs > 0 ? ([['time', duration(durationMs)]] as [string, string][]) : []),
    ...(guestCpuMs > 0 ? ([['guest CPU', duration(guestCpuMs)]] as [string, string][]) : []),
    ...(attempt?.accel ? ([['accelerator', attempt.accel]] as [string, string][]) : []),
  ];
  const seen = summary.diagnosis?.includes(attempt?.failure?.text ?? '') ? undefined : attempt?.failure?.text;
  return h(
    'header',
    { class: `verdict ${outcome}` },
    h('p', { class: 'case-id' }, id),
    title !== null && h('p', { class: 'case-title' }, title),
    h(
      'h1',
      {},
      h('span', { class: `badge ${outcome}` }, outcomes[outcome].word),
      h('span', {}, verdictText(outcome, summary)),
    ),
    diagnosis !== null && h('p', { class: 'diagnosis' }, diagnosis),
    seen !== undefined && h('p', { class: 'seen' }, 'Seen: ', h('code', {}, seen)),
    h('p', { class: 'expected' }, h('b', {}, 'Expected: '), expected),
    findings.length > 0 &&
      h(
        'ul',
        { class: 'findings' },
        findings.map((finding) => h('li', {}, finding)),
      ),
    h(
      'dl',
      { class: 'facts' },
      facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
  );
}
