import type { CaseSummary } from '../../report-data.ts';
import { h } from '../dom.ts';
import { outcomeOf, outcomes, square } from '../outcome.ts';
import { caseHash } from '../route.ts';
import { countOutcomes } from './headline.ts';
import { roveFocus } from './rove-focus.ts';

interface Column {
  arch: string;
  firmware: string;
  set: string;
}

const columnOf = ({ axes: { arch, firmware, set } }: CaseSummary): Column => ({ arch, firmware, set });
const keyOf = (...words: string[]): string => JSON.stringify(words);
const columnKey = ({ arch, firmware, set }: Column): string => keyOf(arch, firmware, set);

/** Values in the order of their fields, each once. */
function distinct<T extends object>(values: readonly T[]): T[] {
  const fields = (value: T): string[] => Object.values(value);
  const compare = (a: T, b: T): number => {
    const [left, right] = [fields(a), fields(b)];
    const index = left.findIndex((field, at) => field !== right[at]);
    return (left[index] ?? '').localeCompare(right[index] ?? '', 'en', { numeric: true });
  };
  return [...new Map(values.map((value) => [keyOf(...fields(value)), value])).values()].sort(compare);
}

/** Neighbours with the same key, counted: what a header cell spans. */
function spansOf<T>(values: readonly T[], key: (value: T) => string): { value: T; span: number }[] {
  const spans: { value: T; span: number }[] = [];
  for (const value of values) {
    const last = spans.at(-1);
    if (last && key(last.value) === key(value)) last.span += 1;
    else spans.push({ value, span: 1 });
  }
  return spans;
}

function caseSquare(one: CaseSummary): HTMLElement {
  const outcome = outcomeOf(one);
  const { word, sign } = outcomes[outcome];
  const stop = one.stoppedAt === null ? '' : ` at ${one.stoppedAt}`;
  const label = `${one.id}: ${word}${stop}`;
  return h(
    'a',
    { class: `square ${outcome}`, href: caseHash(one.id), title: label, 'aria-label': label, tabindex: -1 },
    sign,
  );
}

function head(columns: readonly Column[]): HTMLElement {
  const row = (...cells: HTMLElement[]) => h('tr', {}, cells);
  const corner = (text: string) => h('th', { scope: 'col', rowspan: 3, class: 'corner' }, text);
  const group = (value: string, span: number) => h('th', { scope: 'colgroup', colspan: span, class: 'group' }, value);
  return h(
    'thead',
    {},
    row(
      corner('NIC'),
      corner('ROM'),
      ...spansOf(columns, ({ arch }) => arch).map(({ value, span }) => group(value.arch, span)),
    ),
    row(
      ...spansOf(columns, ({ arch, firmware }) => keyOf(arch, firmware)).map(({ value, span }) =>
        group(value.firmware, span),
      ),
    ),
    row(...columns.map(({ set }) => h('th', { scope: 'col', class: 'set' }, set))),
  );
}

/** NIC × ROM against architecture, firmware and build: a square for each case. */
export function grid(cases: readonly CaseSummary[]): HTMLElement {
  const columns = distinct(cases.map(columnOf));
  const rows = distinct(cases.map(({ axes: { nic, rom } }) => ({ nic, rom })));
  const at = new Map<string, CaseSummary[]>();
  for (const one of cases) {
    const key = keyOf(one.axes.nic, one.axes.rom, columnKey(columnOf(one)));
    at.set(key, [...(at.get(key) ?? []), one]);
  }
  const body = spansOf(rows, ({ nic }) => nic).flatMap(({ value, span }) => {
    const ofNic = rows.filter(({ nic }) => nic === value.nic);
    return ofNic.map(({ nic, rom }, index) =>
      h(
        'tr',
        { class: index === 0 ? 'first' : undefined },
        index === 0 && h('th', { scope: 'rowgroup', rowspan: span, class: 'nic' }, nic),
        h('th', { scope: 'row', class: 'rom' }, rom),
        columns.map((column) =>
          h(
            'td',
            {},
            h('div', { class: 'squares' }, (at.get(keyOf(nic, rom, columnKey(column))) ?? []).map(caseSquare)),
          ),
        ),
      ),
    );
  });
  const table = h(
    'table',
    { class: 'grid' },
    h('caption', { class: 'unseen' }, 'Cases by NIC and option ROM against architecture, firmware and build'),
    head(columns),
    h('tbody', {}, body),
  );
  roveFocus(table);
  const legend = countOutcomes(cases).map(({ outcome }) => h('li', {}, square(outcome), outcomes[outcome].meaning));
  return h(
    'div',
    {},
    h('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Grid of cases' }, table),
    h('ul', { class: 'legend', 'aria-label': 'What the squares mean' }, legend),
  );
}
