import type { CaseSummary } from '../../report-data.ts';
import { caseLink } from '../case-link.ts';
import { h } from '../dom.ts';
import { duration } from '../format.ts';
import { badge, outcomeOf, outcomeOrder } from '../outcome.ts';
import { configurationOf } from './filter-cases.ts';

interface Column {
  title: string;
  /** What the rows are sorted by. */
  key: (one: CaseSummary) => string | number;
  cell: (one: CaseSummary) => Node | string;
  isNumber?: boolean;
}

const columns: Column[] = [
  { title: 'Outcome', key: (one) => outcomeOrder.indexOf(outcomeOf(one)), cell: (one) => badge(outcomeOf(one)) },
  { title: 'Case', key: ({ id }) => id, cell: ({ id }) => caseLink(id) },
  {
    title: 'Last stage',
    key: ({ lastStage, stoppedAt }) => `${lastStage ?? ''} ${stoppedAt ?? ''}`,
    cell: ({ lastStage, stoppedAt }) =>
      stoppedAt === null ? (lastStage ?? '–') : `${lastStage ?? 'none'}, not ${stoppedAt}`,
  },
  {
    title: 'Conf.',
    key: configurationOf,
    cell: (one) => configurationOf(one).replace('none', '–') + (one.standIn ? ' (iPXE stand-in)' : ''),
    isNumber: true,
  },
  {
    title: 'Time',
    key: ({ durationMs }) => durationMs,
    cell: ({ durationMs }) => (durationMs === 0 ? '–' : duration(durationMs)),
    isNumber: true,
  },
  {
    title: 'Guest CPU',
    key: ({ guestCpuMs }) => guestCpuMs,
    cell: ({ guestCpuMs }) => (guestCpuMs === 0 ? '–' : duration(guestCpuMs)),
    isNumber: true,
  },
];

/** Every case in a line; what is not as expected comes first, until a column is chosen to sort by. */
export function caseList(cases: readonly CaseSummary[]): HTMLElement {
  let sortedBy: Column | undefined = columns[0];
  let descending = false;
  const body = h('tbody', {});
  const rowOf = new Map(
    cases.map((one) => [
      one,
      h(
        'tr',
        {},
        columns.map((column) => h('td', { class: column.isNumber ? 'number' : undefined }, column.cell(one))),
      ),
    ]),
  );
  const heads = columns.map((column) => {
    const sort = () => {
      descending = sortedBy === column && !descending;
      sortedBy = column;
      fill();
    };
    const look = column.isNumber ? 'number' : undefined;
    return {
      column,
      th: h('th', { scope: 'col', class: look }, h('button', { type: 'button', onclick: sort }, column.title)),
    };
  });

  function fill(): void {
    const key = sortedBy?.key ?? (() => 0);
    const sign = descending ? -1 : 1;
    const sorted = [...cases].sort((a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : 0));
    body.replaceChildren(...sorted.map((one) => rowOf.get(one) as HTMLElement));
    for (const { column, th } of heads) {
      if (column === sortedBy) th.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    }
  }
  fill();
  return h(
    'div',
    { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'List of cases' },
    h(
      'table',
      { class: 'case-list' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          heads.map(({ th }) => th),
        ),
      ),
      body,
    ),
  );
}
