import type { Stage } from '../../../../model/stages.ts';
import type { AttemptRecord, CaseSummary, Overview } from '../../report-data.ts';
import { consoleLine } from '../console/console-line.ts';
import { renderTranscript } from '../console/transcript.ts';
import { h } from '../dom.ts';
import { duration } from '../format.ts';
import { badge, outcomeOf } from '../outcome.ts';
import { type CaseRef, caseHash } from '../route.ts';
import { type StageSection, stageSections } from './stage-sections.ts';

export interface Compared {
  ref: CaseRef;
  summary: CaseSummary;
  attempt: AttemptRecord;
}

function sideHead({ ref, summary, attempt }: Compared, hasAttempts: boolean): HTMLElement {
  const stoppedAt = attempt.status === 'passed' ? summary.stoppedAt : null;
  return h(
    'div',
    { class: 'side-head' },
    h('h2', {}, h('a', { href: caseHash(ref.id, { attempt: ref.attempt }) }, ref.id)),
    h(
      'p',
      {},
      badge(outcomeOf({ status: attempt.status, stoppedAt })),
      hasAttempts && ` attempt ${ref.attempt}`,
      ` ${duration(attempt.durationMs)}`,
    ),
    attempt.diagnosis !== null && h('p', { class: 'diagnosis' }, attempt.diagnosis),
  );
}

const lineElements = (lines: StageSection['left']['lines']): HTMLElement[] =>
  lines.map(({ line, alone }, index) => {
    const { element } = consoleLine(line, lines[index - 1]?.line.tMs);
    element.classList.toggle('alone', alone);
    return element;
  });

function reachedText(atMs: number | null): string {
  return atMs === null ? 'not reached' : duration(atMs);
}

function sectionRows({ stage, left, right }: StageSection): HTMLElement[] {
  if (stage === null && left.lines.length === 0 && right.lines.length === 0) return [];
  const difference = left.atMs === null || right.atMs === null ? null : right.atMs - left.atMs;
  const later =
    difference === null || Math.abs(difference) < 50
      ? ''
      : ` (${difference > 0 ? '+' : '−'}${duration(Math.abs(difference))})`;
  const head =
    stage === null
      ? [h('h3', {}, 'after that')]
      : [
          h('h3', {}, stage),
          h('span', {}, reachedText(left.atMs)),
          h('span', {}, `${reachedText(right.atMs)}${later}`),
        ];
  const console = (side: StageSection['left'], name: string) =>
    h(
      'div',
      {
        class: 'console',
        tabindex: 0,
        role: 'region',
        'aria-label': `${name} console, ${stage ?? 'after the last stage'}`,
      },
      side.lines.length > 0 ? lineElements(side.lines) : h('p', { class: 'console-empty' }, 'nothing'),
    );
  return [
    h('div', { class: `section-head${left.atMs === null || right.atMs === null ? ' differs' : ''}` }, head),
    h('div', { class: 'section-sides' }, console(left, 'Left'), console(right, 'Right')),
  ];
}

/** Two attempts side by side: what each printed on the way to each stage. */
export async function comparisonView(overview: Overview, left: Compared, right: Compared): Promise<HTMLElement> {
  const order = Object.keys(overview.stageMeanings) as Stage[];
  const sides = await Promise.all(
    [left, right].map(async ({ attempt }) => ({ attempt, lines: (await renderTranscript(attempt.console)).flat() })),
  );
  const sections = stageSections(order, sides[0] as (typeof sides)[0], sides[1] as (typeof sides)[0]);
  const hasAttempts = left.ref.id === right.ref.id;
  return h(
    'main',
    { class: 'comparison', id: 'main' },
    h('nav', { class: 'crumbs', 'aria-label': 'Cases' }, h('a', { href: '#' }, '← All cases')),
    h('h1', {}, 'Side by side'),
    h('div', { class: 'section-sides heads' }, sideHead(left, hasAttempts), sideHead(right, hasAttempts)),
    h(
      'p',
      { class: 'hint' },
      'Consoles are cut where each stage was reached. Marked lines have nothing like them on the other side.',
    ),
    sections.flatMap(sectionRows),
  );
}
