import { h } from '../dom.ts';
import { consoleLine } from './console-line.ts';
import { type Run, runElement } from './styled-text.ts';
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

/** `onPoint` is told the time of a line that is clicked. */
export function transcriptView(screens: readonly Screen[], onPoint: (tMs: number) => void): TranscriptView {
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

  let current: HTMLElement | undefined;
  let matches: HTMLElement[] = [];

  const bring = (target: HTMLElement): void => {
    element.scrollTop = target.offsetTop - element.clientHeight / 2;
  };
  return {
    element,
    scrollTo(tMs) {
      let target: ShownLine | undefined;
      for (const one of shown) if (one.line.tMs <= tMs) target = one;
      if (target?.element === current) return;
      current?.classList.remove('now');
      current = target?.element;
      current?.classList.add('now');
      if (current) bring(current);
    },
    search(wanted) {
      const needle = wanted.toLowerCase();
      matches = [];
      for (const { line, element: row, text } of shown) {
        const found = needle !== '' && line.text.toLowerCase().includes(needle);
        // Lines are drawn anew only where marks come or go.
        if (!found && !row.classList.contains('match')) continue;
        row.classList.toggle('match', found);
        text.replaceChildren(...(found ? markedRuns(line, needle) : line.runs.map(runElement)));
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

/** The runs of a line, cut at the edges of what is searched for. */
function markedRuns({ runs, text }: TranscriptLine, needle: string): Node[] {
  const lower = text.toLowerCase();
  const edges: number[] = [];
  for (let at = lower.indexOf(needle); at !== -1; at = lower.indexOf(needle, at + needle.length)) {
    edges.push(at, at + needle.length);
  }
  const isMarked = (at: number) => edges.filter((edge) => edge <= at).length % 2 === 1;
  const nodes: Node[] = [];
  let start = 0;
  for (const run of runs) {
    const end = start + run.text.length;
    const cuts = [start, ...edges.filter((edge) => edge > start && edge < end), end];
    for (let index = 0; index + 1 < cuts.length; index++) {
      const from = cuts[index] ?? start;
      const piece: Run = { ...run, text: run.text.slice(from - start, (cuts[index + 1] ?? end) - start) };
      nodes.push(isMarked(from) ? h('mark', {}, runElement(piece)) : runElement(piece));
    }
    start = end;
  }
  return nodes;
}
