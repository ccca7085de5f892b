import type { Axis } from '../../../../model/scenario.ts';
import type { CaseSummary } from '../../report-data.ts';
import { h } from '../dom.ts';
import { plural } from '../format.ts';
import { type Outcome, outcomeOrder, outcomes, square } from '../outcome.ts';
import { type Filter, type FilterName, noFilter } from '../route.ts';
import { titleOf } from './axis-titles.ts';
import { fieldOf, filterCases } from './filter-cases.ts';

export interface FilterBar {
  element: HTMLElement;
  focus(): void;
}

export interface FilterOptions {
  cases: readonly CaseSummary[];
  axes: readonly Axis[];
  filter: Filter;
  onChange: (filter: Filter) => void;
}

/** A filter with one value of one name put in or taken out. */
function toggled({ text, values }: Filter, name: FilterName, value: string): Filter {
  const chosen = new Set(values.get(name));
  if (!chosen.delete(value)) chosen.add(value);
  const next = new Map(values);
  if (chosen.size > 0) next.set(name, chosen);
  else next.delete(name);
  return { text, values: next };
}

/** How many cases each value of a name would leave, all other choices as they are. */
function valueCounts(cases: readonly CaseSummary[], { text, values }: Filter, name: FilterName): Map<string, number> {
  const others = new Map([...values].filter(([other]) => other !== name));
  const counts = new Map<string, number>(
    [...new Set(cases.map((one) => fieldOf(one, name)))].map((value) => [value, 0]),
  );
  for (const one of filterCases(cases, { text, values: others })) {
    const value = fieldOf(one, name);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

export function filterBar({ cases, axes, filter: initial, onChange }: FilterOptions): FilterBar {
  let filter = initial;
  const names: FilterName[] = [...axes, 'configuration', 'group'];
  const several = names.filter((name) => new Set(cases.map((one) => fieldOf(one, name))).size > 1);
  const said = h('output', { class: 'shown-count' });
  const clear = h('button', { type: 'button', onclick: () => change(noFilter) }, 'Clear filters');
  const input = h('input', {
    type: 'search',
    class: 'filter-text',
    placeholder: 'Filter by any words: id, diagnosis, rule …',
    'aria-label': 'Filter cases by words',
    value: filter.text,
    oninput: () => change({ ...filter, text: input.value }),
  });
  const outcomeChips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Outcome' });
  const menus = several.map((name) => ({ name, menu: axisMenu(name) }));

  function axisMenu(name: FilterName): HTMLDetailsElement {
    const summary = h('summary', {});
    const list = h('div', { class: 'menu', role: 'group', 'aria-label': titleOf(name) });
    const menu = h('details', { class: 'axis-filter' }, summary, list);
    // One at a time; a click elsewhere closes it.
    menu.addEventListener('toggle', () => {
      if (!menu.open) return;
      for (const other of menus) if (other.menu !== menu) other.menu.open = false;
    });
    menu.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      summary.focus();
    });
    return menu;
  }

  function fillMenu(name: FilterName, menu: HTMLDetailsElement): void {
    const chosen = filter.values.get(name);
    const summary = menu.querySelector('summary');
    const list = menu.querySelector('.menu');
    summary?.replaceChildren(
      titleOf(name),
      chosen ? h('b', {}, ` ${chosen.size === 1 ? [...chosen][0] : chosen.size}`) : '',
    );
    menu.classList.toggle('chosen', chosen !== undefined);
    const counts = [...valueCounts(cases, filter, name)].sort(([a], [b]) =>
      a.localeCompare(b, 'en', { numeric: true }),
    );
    // Boxes stay where they are, so that the one just used keeps the focus.
    const boxes = new Map([...(list?.querySelectorAll('label') ?? [])].map((label) => [label.dataset.value, label]));
    const labels = counts.map(([value, count]) => {
      const known = boxes.get(value);
      const label = known ?? checkBox(name, value);
      const box = label.querySelector('input');
      if (box) box.checked = chosen?.has(value) ?? false;
      label.querySelector('.count')?.replaceChildren(String(count));
      label.classList.toggle('none', count === 0);
      return label;
    });
    if (boxes.size === 0) list?.replaceChildren(...labels);
  }

  function checkBox(name: FilterName, value: string): HTMLLabelElement {
    const box = h('input', { type: 'checkbox', onchange: () => change(toggled(filter, name, value)) });
    const label = h('label', {}, box, h('span', { class: 'value' }, value), h('span', { class: 'count' }));
    label.dataset.value = value;
    return label;
  }

  function chip(outcome: Outcome, count: number): HTMLElement {
    const pressed = filter.values.get('outcome')?.has(outcome) ?? false;
    const onclick = () => {
      change(toggled(filter, 'outcome', outcome));
      outcomeChips.querySelector<HTMLElement>(`.chip.${outcome}`)?.focus();
    };
    return h(
      'button',
      {
        type: 'button',
        class: `chip ${outcome}`,
        'aria-pressed': String(pressed),
        onclick,
        title: outcomes[outcome].meaning,
      },
      square(outcome),
      `${outcomes[outcome].word} `,
      h('span', { class: 'count' }, count),
    );
  }

  function draw(): void {
    const counts = valueCounts(cases, filter, 'outcome');
    const present = outcomeOrder.filter((outcome) => counts.has(outcome));
    outcomeChips.replaceChildren(...present.map((outcome) => chip(outcome, counts.get(outcome) ?? 0)));
    for (const { name, menu } of menus) fillMenu(name, menu);
    if (input.value !== filter.text) input.value = filter.text;
    const shown = filterCases(cases, filter).length;
    clear.hidden = filter.text === '' && filter.values.size === 0;
    said.textContent = clear.hidden ? plural(shown, 'case') : `${shown} of ${plural(cases.length, 'case')}`;
  }

  function change(next: Filter): void {
    filter = next;
    draw();
    onChange(filter);
  }

  document.addEventListener('click', (event) => {
    for (const { menu } of menus) if (!menu.contains(event.target as Node)) menu.open = false;
  });
  draw();
  return {
    element: h(
      'search',
      { class: 'filter-bar' },
      input,
      outcomeChips,
      h(
        'div',
        { class: 'axis-filters' },
        menus.map(({ menu }) => menu),
      ),
      h('p', { class: 'filter-foot' }, said, clear),
    ),
    focus: () => input.focus(),
  };
}
