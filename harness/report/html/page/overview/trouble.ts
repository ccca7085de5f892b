import type { Axis } from '../../../../model/scenario.ts';
import type { CaseSummary } from '../../report-data.ts';
import { caseLink } from '../case-link.ts';
import { h } from '../dom.ts';
import { duration, plural } from '../format.ts';
import { isTrouble, isUnrun, outcomeOf, outcomeOrder, outcomes, square } from '../outcome.ts';
import { titleOf } from './axis-titles.ts';

interface Cluster {
  cases: CaseSummary[];
  first: CaseSummary;
}

/** Cases that went wrong alike: the same outcome, at the same stage, by the same rule. */
function clustersOf(cases: readonly CaseSummary[]): Cluster[] {
  const byKey = new Map<string, CaseSummary[]>();
  for (const one of cases.filter(isTrouble)) {
    const key = JSON.stringify([outcomeOf(one), one.stoppedAt, one.rule]);
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  const order = (one: CaseSummary) => outcomeOrder.indexOf(outcomeOf(one));
  return [...byKey.values()]
    .map((alike) => ({ cases: alike, first: alike[0] as CaseSummary }))
    .sort((a, b) => order(a.first) - order(b.first) || b.cases.length - a.cases.length);
}

const mostFacts = 4;

/** Axis values that all of the cluster have and that few others of the run do, the most telling first. */
function inCommon({ cases, first }: Cluster, all: readonly CaseSummary[], axes: readonly Axis[]): string[] {
  const others = all.filter((one) => !isUnrun(one) && !cases.includes(one));
  return axes
    .filter((axis) => cases.every((one) => one.axes[axis] === first.axes[axis]))
    .map((axis) => ({ axis, having: others.filter((one) => one.axes[axis] === first.axes[axis]).length }))
    .filter(({ having }) => having * 2 < others.length)
    .sort((a, b) => a.having - b.having)
    .slice(0, mostFacts)
    .map(({ axis }) => `${titleOf(axis)} ${first.axes[axis]}`);
}

function whatHappened({ cases, first }: Cluster): string {
  const one = cases.length === 1;
  const outcome = outcomeOf(first);
  if (outcome === 'error') return one ? 'the harness could not tell' : 'in which the harness could not tell';
  if (outcome === 'interrupted') return one ? 'was interrupted' : 'were interrupted';
  const again = outcome === 'flaky' ? ', then passed' : '';
  if (first.stoppedAt === null) return `${one ? 'goes' : 'go'} further than expected${again}`;
  return `${one ? 'stops' : 'stop'} at ${first.stoppedAt}${again}`;
}

const shownLinks = 4;

function links(cases: readonly CaseSummary[]): HTMLElement {
  const items = cases.map((one) =>
    h('li', {}, caseLink(one.id), h('span', { class: 'time' }, duration(one.durationMs))),
  );
  const rest = items.slice(shownLinks);
  return h(
    'div',
    { class: 'case-links' },
    h('ul', {}, items.slice(0, shownLinks)),
    rest.length > 0 && h('details', {}, h('summary', {}, `${rest.length} more`), h('ul', {}, rest)),
  );
}

function card(cluster: Cluster, all: readonly CaseSummary[], axes: readonly Axis[]): HTMLElement {
  const { cases, first } = cluster;
  const outcome = outcomeOf(first);
  const common = cases.length > 1 ? inCommon(cluster, all, axes) : [];
  const expected = new Set(cases.map((one) => one.expected));
  return h(
    'article',
    { class: `trouble ${outcome}` },
    h(
      'h3',
      {},
      square(outcome),
      h('span', {}, `${plural(cases.length, 'case')} ${whatHappened(cluster)}`),
      first.rule !== null && h('code', {}, first.rule),
      h('span', { class: 'unseen' }, ` (${outcomes[outcome].word})`),
    ),
    first.diagnosis !== null && h('p', { class: 'diagnosis' }, first.diagnosis),
    expected.size === 1 && h('p', { class: 'expected' }, `Expected: ${first.expected}`),
    common.length > 0 &&
      h(
        'p',
        { class: 'common' },
        'All of them: ',
        common.map((text) => h('span', { class: 'tag' }, text)),
      ),
    links(cases),
  );
}

/** What did not do as expected, first of all; alike ones together. */
export function troubleSection(cases: readonly CaseSummary[], axes: readonly Axis[]): HTMLElement | null {
  const clusters = clustersOf(cases);
  if (clusters.length === 0) return null;
  return h(
    'section',
    { 'aria-labelledby': 'trouble-title' },
    h('h2', { id: 'trouble-title' }, 'Not as expected'),
    h(
      'div',
      { class: 'cards' },
      clusters.map((cluster) => card(cluster, cases, axes)),
    ),
  );
}
