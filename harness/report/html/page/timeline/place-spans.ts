import type { Lane, Span } from './lane.ts';

/** Where a span is drawn, in pixels from the left and rows from the top. */
export interface PlacedSpan {
  span: Span;
  row: number;
  x: number;
  width: number;
  /** Undefined where there is no room for it. */
  label?: { x: number; row: number; inside: boolean };
}

export interface Room {
  /** Pixels of a moment. */
  x: (tMs: number) => number;
  left: number;
  right: number;
  labelWidth: (label: string) => number;
}

interface Extent {
  from: number;
  to: number;
}

const thinnest = 3;
const gap = 4;

/** Rows of pixels that are taken already. */
function createRows(count: number) {
  const rows: Extent[][] = Array.from({ length: count }, () => []);
  return {
    /** The first row, from `first` on, in which an extent covers nothing. */
    free: ({ from, to }: Extent, first = 0): number =>
      rows.findIndex((row, index) => index >= first && row.every((taken) => to <= taken.from || from >= taken.to)),
    take: (row: number, extent: Extent): void => void rows[row]?.push(extent),
  };
}

/** Where a label fits next to its bar: after it, or before it. */
function placesBeside(bar: Extent, width: number, { left, right }: Room): { x: number; taken: Extent }[] {
  const after = { x: bar.to + gap, taken: { from: bar.from, to: bar.to + 3 * gap + width } };
  const before = { x: bar.from - gap - width, taken: { from: bar.from - 3 * gap - width, to: bar.to } };
  return [after, before].filter(({ x }) => x >= left && x + width <= right);
}

/** Where a label can stand below its bar: from the bar's start, or up to its end. */
function placesBelow(bar: Extent, width: number, { left, right }: Room): { x: number; taken: Extent }[] {
  return [bar.from, bar.to - width]
    .filter((x) => x >= left && x + width <= right)
    .map((x) => ({ x, taken: { from: x, to: x + width + 2 * gap } }));
}

/**
 * Gives each span a row in which neither it nor its label covers another. Spans of a sequence stay in the first row, and
 * labels that do not fit on them stand in the rows below.
 */
export function placeSpans({ spans, isSequence, mostRows }: Lane, room: Room): PlacedSpan[] {
  const rows = createRows(mostRows);
  const visible = spans
    .filter(({ startMs, endMs }) => room.x(endMs) >= room.left && room.x(startMs) <= room.right)
    .sort((a, b) => a.startMs - b.startMs);
  return visible.map((span): PlacedSpan => {
    const x = Math.max(room.x(span.startMs), room.left);
    const width = Math.max(thinnest, Math.min(room.x(span.endMs), room.right) - x);
    const bar = { from: x, to: x + width };
    const labelWidth = room.labelWidth(span.label);
    const fitsInside = labelWidth + 2 * gap <= width;
    const barRow = isSequence ? 0 : rows.free(bar);
    const placed = { span, x, width, row: Math.max(0, barRow) };
    if (span.label === '' || (fitsInside && barRow !== -1)) {
      rows.take(placed.row, bar);
      return span.label === '' ? placed : { ...placed, label: { x: x + gap, row: placed.row, inside: true } };
    }
    const places = isSequence ? placesBelow(bar, labelWidth, room) : placesBeside(bar, labelWidth, room);
    for (const { x: labelX, taken } of places) {
      const row = rows.free(taken, isSequence ? 1 : 0);
      if (row === -1) continue;
      rows.take(row, taken);
      return { ...placed, row: isSequence ? 0 : row, label: { x: labelX, row, inside: false } };
    }
    rows.take(placed.row, bar);
    return placed;
  });
}
