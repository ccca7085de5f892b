import type { CaseSummary, Overview } from '../report-data.ts';
import { type CaseView, caseView } from './case/case-view.ts';
import { type Compared, comparisonView } from './comparison/comparison-view.ts';
import { readOverview, readRecord } from './data.ts';
import { h } from './dom.ts';
import { keyboard } from './keyboard.ts';
import { filterCases } from './overview/filter-cases.ts';
import { type OverviewView, overviewView } from './overview/overview.ts';
import { type CaseRef, caseHash, type Filter, noFilter, overviewHash, parseRoute, type Route } from './route.ts';
import { themeButton } from './theme.ts';

const place = document.getElementById('view') as HTMLElement;

function message(text: string): HTMLElement {
  return h('main', { class: 'message', id: 'main' }, h('p', {}, text), h('p', {}, h('a', { href: '#' }, 'All cases')));
}

/** Replaces what the address shows without a new entry in the history, and without redrawing the view. */
const setAddress = (hash: string): void => history.replaceState(null, '', hash);

async function start(): Promise<void> {
  const overview = await readOverview();
  const indexOf = new Map(overview.cases.map(({ id }, index) => [id, index]));
  let first: { view: OverviewView; hash: string; scrollTop: number } | undefined;
  let filter: Filter = noFilter;
  let shownCase: { view: CaseView; summary: CaseSummary } | undefined;
  /** Routes may be asked for faster than they are drawn. */
  let asked = 0;

  const show = (element: HTMLElement, title: string): void => {
    document.title = `${title} · ${overview.matrix}`;
    element.tabIndex = -1;
    place.replaceChildren(element);
    scrollTo(0, 0);
  };

  async function compared(ref: CaseRef): Promise<Compared | undefined> {
    const index = indexOf.get(ref.id);
    const summary = index === undefined ? undefined : overview.cases[index];
    if (index === undefined || !summary?.hasRecord) return undefined;
    const attempt = (await readRecord(index)).attempts[ref.attempt - 1];
    return attempt && { ref, summary, attempt };
  }

  function showOverview(route: Extract<Route, { view: 'overview' }>): void {
    const hash = overviewHash(route.filter);
    const isKnown = first?.hash === hash;
    filter = route.filter;
    if (first === undefined || !isKnown) {
      const onFilter = (chosen: Filter) => {
        filter = chosen;
        if (first) first.hash = overviewHash(chosen);
        setAddress(overviewHash(chosen));
      };
      first = { view: overviewView(overview, filter, onFilter), hash, scrollTop: 0 };
    }
    const { view, scrollTop } = first;
    show(view.element, overviewTitle(overview));
    // Who asks for some of the cases wants to see those.
    if (!isKnown && hash !== overviewHash(noFilter)) view.showMatrix();
    else scrollTo(0, scrollTop);
  }

  async function showCase({ id, attempt, tMs }: Extract<Route, { view: 'case' }>, ticket: number): Promise<void> {
    const index = indexOf.get(id);
    const summary = index === undefined ? undefined : overview.cases[index];
    if (index === undefined || !summary) return show(message(`No case of this run has the id ${id}.`), 'No such case');
    const record = summary.hasRecord ? await readRecord(index) : null;
    const onChoose = (at: number) => setAddress(caseHash(id, { attempt, tMs: at }));
    const view = await caseView({
      overview,
      among: filterCases(overview.cases, filter),
      summary,
      record,
      attempt,
      tMs,
      onChoose,
    });
    if (ticket !== asked) return;
    shownCase = { view, summary };
    show(view.element, id);
  }

  async function showComparison(route: Extract<Route, { view: 'comparison' }>, ticket: number): Promise<void> {
    const [left, right] = await Promise.all([compared(route.left), compared(route.right)]);
    const element =
      left && right ? await comparisonView(overview, left, right) : message('One of the two is not in this report.');
    if (ticket === asked) show(element, 'Side by side');
  }

  async function follow(): Promise<void> {
    const route = parseRoute(location.hash, overview.axes);
    asked += 1;
    shownCase?.view.leave();
    shownCase = undefined;
    if (route.view === 'overview') showOverview(route);
    else {
      if (first?.view.element.isConnected) first.scrollTop = scrollY;
      if (route.view === 'case') await showCase(route, asked);
      else await showComparison(route, asked);
    }
  }

  const stepCase = (by: number): void => {
    const chosen = filterCases(overview.cases, filter);
    const other = chosen[shownCase ? chosen.indexOf(shownCase.summary) + by : 0];
    if (other) location.hash = caseHash(other.id);
  };
  const keys = keyboard({
    search: () => (shownCase ? shownCase.view.focusSearch() : first?.view.focusSearch()),
    next: () => stepCase(1),
    previous: () => stepCase(-1),
    back: () => {
      if (!first?.view.element.isConnected) location.hash = first?.hash ?? '';
    },
    play: () => shownCase?.view.togglePlayback(),
  });
  document.querySelector('.skip')?.addEventListener('click', (event) => {
    event.preventDefault();
    document.getElementById('main')?.focus();
  });
  document.getElementById('tools')?.append(keys, themeButton());
  addEventListener('hashchange', () => void follow());
  await follow();
}

const overviewTitle = ({ cases }: Overview): string => {
  const bad = cases.filter(({ status }) => ['failed', 'flaky', 'error', 'interrupted'].includes(status)).length;
  return bad > 0 ? `${bad} not as expected` : 'all as expected';
};

start().catch((error: unknown) => {
  place.replaceChildren(
    message(`This report cannot be shown: ${error instanceof Error ? error.message : String(error)}`),
  );
});
