import type { Stage } from '../../../../model/stages.ts';
import type { AttemptRecord } from '../../report-data.ts';
import type { TranscriptLine } from '../console/transcript.ts';

/** What was printed on the way to a stage; `stage` null: after the last one that was reached. */
export interface StageSection {
  stage: Stage | null;
  left: Part;
  right: Part;
}

interface Part {
  /** When the stage was reached, if it was. */
  atMs: number | null;
  lines: ComparedLine[];
}

interface ComparedLine {
  line: TranscriptLine;
  /** The other side printed nothing like it. */
  alone: boolean;
}

export interface Side {
  attempt: AttemptRecord;
  lines: TranscriptLine[];
}

/** Numbers, addresses and nonces differ between boots of the same thing. */
const shapeOf = (text: string): string =>
  text
    .trim()
    .replace(/\b(0x)?[0-9a-f]*\d[0-9a-f]*\b/gi, '#')
    .replace(/\s+/g, ' ');

const timeOf = ({ attempt }: Side, stage: Stage): number | null =>
  attempt.stages.find((one) => one.stage === stage)?.atMs ?? null;

/** Takes lines up to a moment off the front. */
function takeUntil(lines: TranscriptLine[], tMs: number): TranscriptLine[] {
  const end = lines.findIndex((line) => line.tMs > tMs);
  return lines.splice(0, end === -1 ? lines.length : end);
}

/** Cuts two consoles at the moments when each stage was reached, so that they can stand side by side. */
export function stageSections(order: readonly Stage[], left: Side, right: Side): StageSection[] {
  const cut = { left: createCut(left, right), right: createCut(right, left) };
  const passed = order.filter((stage) => timeOf(left, stage) !== null || timeOf(right, stage) !== null);
  return [...passed, null].map((stage) => ({ stage, left: cut.left(stage), right: cut.right(stage) }));
}

/** Takes from a side's console, stage by stage, what was printed on the way to each. */
function createCut(side: Side, other: Side): (stage: Stage | null) => Part {
  const shapes = new Set(other.lines.map(({ text }) => shapeOf(text)));
  const rest = side.lines.filter(({ text }) => text.trim() !== '').sort((a, b) => a.tMs - b.tMs);
  return (stage) => {
    const atMs = stage === null ? null : timeOf(side, stage);
    const taken = stage === null ? rest : atMs === null ? [] : takeUntil(rest, atMs);
    return { atMs, lines: taken.map((line) => ({ line, alone: !shapes.has(shapeOf(line.text)) })) };
  };
}
