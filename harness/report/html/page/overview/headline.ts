import type { CaseSummary, Overview } from '../../report-data.ts';
import { h } from '../dom.ts';
import { plural } from '../format.ts';
import { type Outcome, outcomeOf, outcomeOrder, outcomes, square } from '../outcome.ts';
import { type Filter, overviewHash } from '../route.ts';

export function countOutcomes(cases: readonly CaseSummary[]): { outcome: Outcome; count: number }[] {
  return outcomeOrder
    .map((outcome) => ({ outcome, count: cases.filter((one) => outcomeOf(one) === outcome).length }))
    .filter(({ count }) => count > 0);
}

const only = (outcome: Outcome): Filter => ({ text: '', values: new Map([['outcome', new Set([outcome])]]) });

/** The run in a line that is read first. */
function sentence(cases: readonly CaseSummary[]): string {
  const count = (...wanted: Outcome[]) => cases.filter((one) => wanted.includes(outcomeOf(one))).length;
  const bad = count('failed', 'flaky', 'error', 'interrupted');
  const missing = count('not-run');
  const ran = cases.length - missing - count('waiting');
  if (ran === 0) return 'Nothing was run';
  if (bad === 0 && missing > 0) return `${ran} did as expected, ${missing} could not be run`;
  if (bad === 0) return ran === 1 ? 'The case did as expected' : `All ${ran} did as expected`;
  return `${bad} of ${ran} did not do as expected`;
}

/** A bar whose parts are as long as there are cases of each outcome. */
export function outcomeBar(cases: readonly CaseSummary[]): HTMLElement {
  const parts = countOutcomes(cases).map(({ outcome, count }) => {
    const part = h('span', { class: `part ${outcome}` });
    part.style.flexGrow = String(count);
    return part;
  });
  return h('div', { class: 'outcome-bar', 'aria-hidden': 'true' }, parts);
}

export function headline({ matrix, startedAt, cases, costLine, host }: Overview): HTMLElement {
  const counts = countOutcomes(cases).map(({ outcome, count }) =>
    h(
      'li',
      {},
      h(
        'a',
        { href: overviewHash(only(outcome)), title: outcomes[outcome].meaning },
        square(outcome),
        h('b', {}, count),
        ` ${outcomes[outcome].word}`,
      ),
    ),
  );
  const qemu = Object.entries(host.qemu).map(([program, version]) => `${program} ${version}`);
  const ran = new Date(startedAt);
  const when = Number.isNaN(ran.valueOf()) ? startedAt : `${ran.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return h(
    'header',
    { class: 'headline' },
    h('p', { class: 'eyebrow' }, `${matrix} · ${plural(cases.length, 'case')} · ${when}`),
    h('h1', {}, sentence(cases)),
    outcomeBar(cases),
    h('ul', { class: 'counts' }, counts),
    h('p', { class: 'cost' }, costLine),
    h('p', { class: 'cost' }, [...qemu, host.platform, plural(host.cores, 'core')].join(' · ')),
  );
}
