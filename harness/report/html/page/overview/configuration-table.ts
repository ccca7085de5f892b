import type { CaseSummary, Overview } from '../../report-data.ts';
import { h } from '../dom.ts';
import { outcomes, square } from '../outcome.ts';
import { overviewHash } from '../route.ts';
import { configurationOf } from './filter-cases.ts';
import { countOutcomes, outcomeBar } from './headline.ts';

function cell(cases: readonly CaseSummary[], arch: string, configuration: string): HTMLElement {
  if (cases.length === 0) return h('td', { class: 'nothing' }, '–');
  const filter = {
    text: '',
    values: new Map([
      ['arch' as const, new Set([arch])],
      ['configuration' as const, new Set([configuration])],
    ]),
  };
  const counts = countOutcomes(cases).map(({ outcome, count }) =>
    h('span', { class: 'count' }, square(outcome), `${count} ${outcomes[outcome].word}`),
  );
  return h(
    'td',
    {},
    h('a', { href: overviewHash(filter) }, outcomeBar(cases), h('span', { class: 'counts-line' }, counts)),
  );
}

/** The six configurations of network boot, per architecture. */
export function configurationTable(
  cases: readonly CaseSummary[],
  meanings: Overview['configurationMeanings'],
): HTMLElement {
  const archs = [...new Set(cases.map(({ axes }) => axes.arch))].sort().reverse();
  const rows = Object.entries(meanings).map(([configuration, meaning]) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, h('b', {}, configuration), h('span', { class: 'meaning' }, meaning)),
      archs.map((arch) =>
        cell(
          cases.filter((one) => one.axes.arch === arch && configurationOf(one) === configuration),
          arch,
          configuration,
        ),
      ),
    ),
  );
  return h(
    'div',
    { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'The six configurations' },
    h(
      'table',
      { class: 'configurations' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, 'Configuration'),
          archs.map((arch) => h('th', { scope: 'col' }, arch)),
        ),
      ),
      h('tbody', {}, rows),
    ),
  );
}
