import type { AttemptRecord, CaseRecord, CaseSummary, Overview } from '../../report-data.ts';
import { type ConsolePanel, consolePanel } from '../console/console-panel.ts';
import { copyable } from '../copy.ts';
import { h } from '../dom.ts';
import { framesPanel } from '../frames/frames-panel.ts';
import { badge, isUnrun, outcomeOf } from '../outcome.ts';
import { caseHash, comparisonHash } from '../route.ts';
import { timeAxis } from '../timeline/time-axis.ts';
import { inputsTable, recordLinks } from './inputs.ts';
import { evidenceTable, stageSteps } from './stage-steps.ts';
import { verdictHeader } from './verdict.ts';

export interface CaseView {
  element: HTMLElement;
  focusSearch(): void;
  togglePlayback(): void;
  leave(): void;
}

export interface CaseOptions {
  overview: Overview;
  /** The cases that were chosen on the first page, in order. */
  among: readonly CaseSummary[];
  summary: CaseSummary;
  record: CaseRecord | null;
  /** From 1. */
  attempt: number;
  /** The moment that a link points at. */
  tMs: number | null;
  /** A moment was chosen: the address takes it up. */
  onChoose: (tMs: number) => void;
}

function attemptTabs(id: string, { attempts }: CaseRecord, chosen: number): HTMLElement | null {
  if (attempts.length < 2) return null;
  const tabs = attempts.map(({ status, stages }, index) => {
    const number = index + 1;
    const stoppedAt = status === 'passed' ? (stages.find(({ reached }) => !reached)?.stage ?? null) : null;
    return h(
      'a',
      { href: caseHash(id, { attempt: number }), 'aria-current': number === chosen ? 'true' : undefined },
      `Attempt ${number} `,
      badge(outcomeOf({ status, stoppedAt })),
    );
  });
  const together = h('a', { href: comparisonHash({ id, attempt: 1 }, { id, attempt: 2 }) }, 'side by side');
  return h('nav', { class: 'attempts', 'aria-label': 'Attempts' }, tabs, together);
}

/** Goes to the comparison with another case, chosen by id. */
function compareForm(overview: Overview, id: string, attempt: number): HTMLElement {
  const others = overview.cases.filter((one) => one.hasRecord && one.id !== id);
  const input = h('input', {
    list: 'other-cases',
    placeholder: 'id of another case',
    'aria-label': 'Case to compare with',
  });
  const form = h(
    'form',
    {
      class: 'compare-form',
      onsubmit: (event: SubmitEvent) => {
        event.preventDefault();
        const other = others.find((one) => one.id === input.value);
        if (other) location.hash = comparisonHash({ id, attempt }, { id: other.id, attempt: 1 });
        input.setCustomValidity(other ? '' : 'No case of this run has this id.');
        input.reportValidity();
      },
      oninput: () => input.setCustomValidity(''),
    },
    input,
    h(
      'datalist',
      { id: 'other-cases' },
      others.map((one) => h('option', { value: one.id })),
    ),
    h('button', { type: 'submit' }, 'Compare'),
  );
  return form;
}

const section = (title: string, ...content: (Node | null)[]): HTMLElement =>
  h('section', { class: 'case-section' }, h('h2', {}, title), content);

/** Time axis, console and frames of an attempt, tied together: pointing at a moment in one shows it in the others. */
async function attemptBody(
  { overview, summary, tMs, onChoose }: CaseOptions,
  attempt: AttemptRecord,
): Promise<{ element: HTMLElement; console: ConsolePanel }> {
  const point = (at: number, chosen: boolean, origin?: 'axis' | 'console' | 'frames'): void => {
    if (origin !== 'axis') axis.show(at);
    if (origin !== 'console') console.show(at);
    if (origin !== 'frames') frames.show(at);
    if (chosen) onChoose(at);
  };
  const console = await consolePanel({ attempt, title: summary.id, onPoint: (at) => point(at, false, 'console') });
  const frames = framesPanel(attempt, (at) => point(at, true, 'frames'));
  const axis = timeAxis({ attempt, onPoint: (at, chosen) => point(at, chosen, 'axis') });
  const stages = { attempt, meanings: overview.stageMeanings, onPoint: (at: number) => point(at, true) };
  const element = h(
    'div',
    {},
    stageSteps(stages),
    h('section', { class: 'panel axis-panel', 'aria-label': 'Time axis' }, axis.element),
    h('div', { class: 'panels' }, console.element, frames.element),
    section('Evidence', evidenceTable(stages)),
  );
  // Once it is in the page: only then can anything scroll.
  requestAnimationFrame(() => point(tMs ?? attempt.failure?.atMs ?? attempt.durationMs, false));
  return { element, console };
}

export async function caseView(options: CaseOptions): Promise<CaseView> {
  const { overview, among, summary, record, attempt: number } = options;
  const index = among.indexOf(summary);
  const attempt = record?.attempts[number - 1] ?? record?.attempts[0];
  const body = attempt && (await attemptBody(options, attempt));
  const step = (to: number, label: string, keys: string) => {
    const other = among[to];
    return other && h('a', { href: caseHash(other.id), title: other.id, 'aria-keyshortcuts': keys }, label);
  };
  const element = h(
    'main',
    { class: 'case', id: 'main' },
    h(
      'nav',
      { class: 'crumbs', 'aria-label': 'Cases' },
      h('a', { href: '#', 'aria-keyshortcuts': 'Escape' }, '← All cases'),
      step(index - 1, '↑ Previous', 'k'),
      step(index + 1, '↓ Next', 'j'),
      record && compareForm(overview, summary.id, number),
    ),
    verdictHeader(summary, attempt),
    record && attemptTabs(summary.id, record, number),
    body?.element,
    record && record.inputs.length > 0 && section('Inputs', inputsTable(record)),
    record &&
      section(
        'Run it again',
        copyable('The same case, inputs checked by SHA-256', record.repro),
        record.plainQemu === null
          ? null
          : copyable(
              'QEMU alone',
              record.plainQemu,
              "The same machine with QEMU's own user-mode network and the serial console in the terminal: no boot server, no harness.",
            ),
        attempt ? recordLinks(attempt.directory) : null,
      ),
    !record &&
      h(
        'p',
        { class: 'empty' },
        isUnrun(summary) ? 'No guest was started for this case.' : 'The records of this case are not in this file.',
      ),
  );
  return {
    element,
    focusSearch: () => body?.console.focusSearch(),
    togglePlayback: () => body?.console.togglePlayback(),
    leave: () => body?.console.leave(),
  };
}
