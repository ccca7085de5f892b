import { h } from '../dom.ts';
import { runElement } from './styled-text.ts';
import type { TranscriptLine } from './transcript.ts';

const stamp = (tMs: number): string => (tMs / 1000).toFixed(1);

/** A line with its time, which is left out where the line above has the same. */
export function consoleLine(
  { runs, text, tMs }: TranscriptLine,
  aboveMs?: number,
): { element: HTMLElement; text: HTMLElement } {
  const isNew = text !== '' && (aboveMs === undefined || stamp(aboveMs) !== stamp(tMs));
  const content = h('span', { class: 'line-text' }, runs.map(runElement));
  return {
    element: h('div', { class: 'line' }, h('span', { class: 'line-time' }, isNew ? stamp(tMs) : ''), content),
    text: content,
  };
}
