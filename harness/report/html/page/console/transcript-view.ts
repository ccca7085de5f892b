import { h } from '../dom.ts';
import { consoleLine } from './console-line.ts';
import { markedRuns, searchPattern } from './marked-runs.ts';
import { runElement } from './styled-text.ts';
import type { Screen, TranscriptLine } from './transcript.ts';

/** Everything that stood on the console, as lines with their times; and a search in it. */
export interface TranscriptView {
  element: HTMLElement;
  /** Scrolls to what stood there at `tMs`. */
  scrollTo(tMs: number): void;
  /** Marks what is searched for; the number of matches. */
  search(text: string): number;
  /** Scrolls to the nth match. */
  showMatch(index: number): void;
}

interface ShownLine {
  line: TranscriptLine;
  element: HTMLElement;
  text: HTMLElement;
}

export interface TranscriptOptions {
  screens: readonly Screen[];
  /** The text that ended the case, where one did: its line is marked. */
  failure: string | undefined;
  /** Called with the time of a clicked line. */
  onPoint: (tMs: number) => void;
}

export function transcriptView({ screens, failure, onPoint }: TranscriptOptions): TranscriptView {
  const shown: ShownLine[] = [];
  const content = screens.flatMap((screen, index) => [
    ...(index === 0 ? [] : [h('div', { class: 'cleared' }, h('span', {}, 'the guest cleared its screen'))]),
    ...screen.map((line, row) => {
      const drawn = consoleLine(line, screen[row - 1]?.tMs);
      shown.push({ line, ...drawn });
      return drawn.element;
    }),
  ]);
  const empty = h('p', { class: 'console-empty' }, 'Nothing was printed on the serial console.');
  const element = h(
    'div',
    { class: 'console transcript', tabindex: 0, role: 'region', 'aria-label': 'Console, everything that was printed' },
    content.length > 0 ? content : empty,
  );
  element.addEventListener('click', (event) => {
    if (getSelection()?.isCollapsed === false) return;
    const line = (event.target as Element).closest('.line');
    const found = shown.find((one) => one.element === line);
    if (found) onPoint(found.line.tMs);
  });

  const failed = failure?.trim() ? shown.findLast(({ line }) => line.text.includes(failure.trim())) : undefined;
  failed?.element.classList.add('failure');

  let current: HTMLElement | undefined;
  let matches: HTMLElement[] = [];

  const bring = (target: HTMLElement): void => {
    element.scrollTop = target.offsetTop - element.clientHeight / 2;
  };
  return {
    element,
    scrollTo(tMs) {
      let target: ShownLine | undefined;
      // Where firmware draws, lines do not come from top to bottom.
      for (const one of shown) {
        if (one.line.tMs <= tMs && one.line.tMs >= (target?.line.tMs ?? 0)) target = one;
      }
      if (target?.element === current) return;
      current?.classList.remove('now');
      current = target?.element;
      current?.classList.add('now');
      if (current) bring(current);
    },
    search(wanted) {
      const pattern = searchPattern(wanted);
      matches = [];
      for (const { line, element: row, text } of shown) {
        const found = wanted !== '' && line.text.search(pattern) !== -1;
        // Only lines whose marks change are redrawn.
        if (!found && !row.classList.contains('match')) continue;
        row.classList.toggle('match', found);
        text.replaceChildren(...(found ? markedRuns(line, pattern) : line.runs.map(runElement)));
        matches.push(...text.querySelectorAll('mark'));
      }
      return matches.length;
    },
    showMatch(index) {
      for (const mark of matches) mark.classList.remove('current');
      const mark = matches[index];
      mark?.classList.add('current');
      const line = mark?.closest<HTMLElement>('.line');
      if (line) bring(line);
    },
  };
}
