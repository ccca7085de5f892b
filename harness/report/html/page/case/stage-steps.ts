import type { Stage } from '../../../../model/stages.ts';
import type { AttemptRecord } from '../../report-data.ts';
import { h } from '../dom.ts';
import { duration } from '../format.ts';

export interface StageOptions {
  attempt: AttemptRecord;
  meanings: Record<Stage, string>;
  onPoint: (tMs: number) => void;
}

/** The stage path: how far it got, and when. A stage that was reached leads to its moment. */
export function stageSteps({ attempt, meanings, onPoint }: StageOptions): HTMLElement {
  const stop = attempt.stages.find(({ reached }) => !reached)?.stage;
  const steps = attempt.stages.map(({ stage, reached, atMs, evidence }) => {
    const look = reached ? 'reached' : stage === stop ? 'stopped' : 'missing';
    const words = reached && atMs !== null ? duration(atMs) : stage === stop ? 'not reached' : '–';
    const content = [h('span', { class: 'stage-name' }, stage), h('span', { class: 'stage-time' }, words)];
    const title = `${meanings[stage]}${evidence === null ? '' : `: ${evidence}`}`;
    const step =
      atMs === null
        ? h('span', { class: 'step', title }, content)
        : h('button', { type: 'button', class: 'step', title, onclick: () => onPoint(atMs) }, content);
    return h('li', { class: look }, step);
  });
  return h('ol', { class: 'stages', 'aria-label': 'Stages' }, steps);
}

/** The evidence for each stage. */
export function evidenceTable({ attempt, meanings, onPoint }: StageOptions): HTMLElement {
  const rows = attempt.stages.map(({ stage, reached, atMs, evidence }) =>
    h(
      'tr',
      { class: reached ? 'reached' : 'missing' },
      h('th', { scope: 'row' }, stage, h('span', { class: 'meaning' }, meanings[stage])),
      h(
        'td',
        { class: 'number' },
        atMs === null
          ? 'not reached'
          : h('button', { type: 'button', class: 'link', onclick: () => onPoint(atMs) }, duration(atMs)),
      ),
      h('td', { class: 'evidence' }, evidence ?? '–'),
    ),
  );
  const head = ['Stage', 'Reached', 'Evidence'].map((title) => h('th', { scope: 'col' }, title));
  return h(
    'div',
    { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Evidence' },
    h('table', { class: 'evidence-table' }, h('thead', {}, h('tr', {}, head)), h('tbody', {}, rows)),
  );
}
