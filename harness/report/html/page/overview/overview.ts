import type { CaseSummary, Overview } from '../../report-data.ts';
import { caseLink } from '../case-link.ts';
import { h } from '../dom.ts';
import { plural } from '../format.ts';
import { isTrouble } from '../outcome.ts';
import type { Filter } from '../route.ts';
import { caseList } from './case-list.ts';
import { comparisonSection } from './changes.ts';
import { configurationTable } from './configuration-table.ts';
import { filterCases } from './filter-cases.ts';
import { type FilterBar, filterBar } from './filters.ts';
import { grid } from './grid.ts';
import { headline } from './headline.ts';
import { troubleSection } from './trouble.ts';

export interface OverviewView {
  element: HTMLElement;
  focusSearch(): void;
  /** Scrolls to the filters and what they leave. */
  showMatrix(): void;
}

/** Reasons for which cases were not run, or wait, most frequent first. */
function unrunSection(cases: readonly CaseSummary[], wanted: 'not-run' | 'waiting', title: string): HTMLElement | null {
  const byReason = new Map<string, CaseSummary[]>();
  for (const one of cases.filter(({ status }) => status === wanted)) {
    const reason = one.diagnosis ?? 'no reason was recorded';
    byReason.set(reason, [...(byReason.get(reason) ?? []), one]);
  }
  if (byReason.size === 0) return null;
  const items = [...byReason].sort(([, a], [, b]) => b.length - a.length);
  return h(
    'section',
    { 'aria-labelledby': `${wanted}-title` },
    h('h2', { id: `${wanted}-title` }, title),
    items.map(([reason, alike]) =>
      h(
        'details',
        { class: 'reason' },
        h('summary', {}, h('b', {}, plural(alike.length, 'case')), ` ${reason}`),
        h(
          'ul',
          {},
          alike.map(({ id }) => h('li', {}, caseLink(id))),
        ),
      ),
    ),
  );
}

function findingsSection(cases: readonly CaseSummary[]): HTMLElement | null {
  const odd = cases.filter((one) => one.findings.length > 0 && !isTrouble(one));
  if (odd.length === 0) return null;
  const items = odd.map(({ id, findings }) =>
    h(
      'li',
      {},
      caseLink(id),
      h(
        'ul',
        {},
        findings.map((finding) => h('li', {}, finding)),
      ),
    ),
  );
  return h(
    'section',
    { 'aria-labelledby': 'findings-title' },
    h('h2', { id: 'findings-title' }, 'Findings in cases that did as expected'),
    h('ul', { class: 'findings' }, items),
  );
}

/** The first page: what went wrong, then all of it to look through. `onFilter` keeps the address up to date. */
export function overviewView(overview: Overview, filter: Filter, onFilter: (filter: Filter) => void): OverviewView {
  const { cases, axes, notes, comparisons } = overview;
  const results = h('div', { class: 'results' });
  const fill = (chosen: Filter): void => {
    const shown = filterCases(cases, chosen);
    if (shown.length === 0) results.replaceChildren(h('p', { class: 'empty' }, 'No case has all of that.'));
    else {
      results.replaceChildren(
        grid(shown),
        h('h2', {}, 'The six configurations'),
        configurationTable(shown, overview.configurationMeanings),
        h('h2', {}, 'Cases'),
        caseList(shown),
      );
    }
  };
  fill(filter);
  const bar: FilterBar = filterBar({
    cases,
    axes,
    filter,
    onChange(chosen) {
      fill(chosen);
      onFilter(chosen);
    },
  });
  const title = h('h2', { id: 'matrix-title' }, 'The matrix');
  const element = h(
    'main',
    { class: 'overview', id: 'main' },
    headline(overview),
    comparisons.map((one) => comparisonSection(one, cases)),
    troubleSection(cases, axes),
    h('section', { 'aria-labelledby': 'matrix-title' }, title, bar.element, results),
    unrunSection(cases, 'not-run', 'Not run'),
    unrunSection(cases, 'waiting', 'Waiting for a set of yours'),
    findingsSection(cases),
    notes.length > 0 &&
      h(
        'section',
        {},
        h('h2', {}, 'Notes'),
        h(
          'ul',
          {},
          notes.map((note) => h('li', {}, note)),
        ),
      ),
  );
  return { element, focusSearch: () => bar.focus(), showMatrix: () => title.scrollIntoView() };
}
