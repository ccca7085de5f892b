import { h } from '../dom.ts';
import { type Run, runElement } from './styled-text.ts';
import type { TranscriptLine } from './transcript.ts';

/** Text as it stands, in either case. */
export const searchPattern = (text: string): RegExp => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi');

/** The runs of a line, cut at the edges of what is searched for, which is marked. */
export function markedRuns({ runs, text }: TranscriptLine, pattern: RegExp): Node[] {
  const found = [...text.matchAll(pattern)].map((match) => ({ from: match.index, to: match.index + match[0].length }));
  const edges = found.flatMap(({ from, to }) => [from, to]);
  const isMarked = (at: number) => found.some(({ from, to }) => at >= from && at < to);
  const nodes: Node[] = [];
  let start = 0;
  for (const run of runs) {
    const end = start + run.text.length;
    const cuts = [start, ...edges.filter((edge) => edge > start && edge < end), end];
    cuts.slice(1).forEach((to, index) => {
      const from = cuts[index] ?? start;
      const piece: Run = { ...run, text: run.text.slice(from - start, to - start) };
      nodes.push(isMarked(from) ? h('mark', {}, runElement(piece)) : runElement(piece));
    });
    start = end;
  }
  return nodes;
}
