import type { CaseSummary, RunComparison } from '../../report-data.ts';
import { caseLink } from '../case-link.ts';
import { h } from '../dom.ts';
import { plural } from '../format.ts';

/** Of these a count is enough at first. */
const quietClasses: readonly string[] = ['inputs-differ', 'new', 'gone', 'not-comparable'];

const shownChanges = 40;

function changeRows({ changes }: RunComparison['classes'][number], known: ReadonlySet<string>): HTMLElement[] {
  return changes.map(({ id, text }) => h('tr', {}, h('td', {}, known.has(id) ? caseLink(id) : id), h('td', {}, text)));
}

function changeClass(one: RunComparison['classes'][number], known: ReadonlySet<string>): HTMLElement {
  const { name, meaning, common, changes } = one;
  const head = h(
    'thead',
    {},
    h(
      'tr',
      {},
      ['Case', 'Before → now'].map((title) => h('th', { scope: 'col' }, title)),
    ),
  );
  const table = h('table', { class: 'changes' }, head, h('tbody', {}, changeRows(one, known)));
  const title = [h('b', {}, `${changes.length} ${name.replaceAll('-', ' ')}`), h('span', {}, ` ${meaning}`)];
  return h(
    'details',
    { class: `change ${name}`, open: changes.length <= shownChanges && !quietClasses.includes(name) },
    h('summary', {}, title, common !== null && h('p', { class: 'common' }, common)),
    h('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': name }, table),
  );
}

/** What changed, before all else. */
export function comparisonSection(
  { title, joined, classes, notes }: RunComparison,
  cases: readonly CaseSummary[],
): HTMLElement {
  const known = new Set(cases.map(({ id }) => id));
  return h(
    'section',
    { class: 'comparison-section', 'aria-label': title },
    h('h2', {}, title),
    h(
      'p',
      { class: 'hint' },
      [`${plural(joined, 'case')} compared`, ...(classes.length === 0 ? ['no difference'] : []), ...notes].join('; '),
    ),
    classes.map((one) => changeClass(one, known)),
  );
}
