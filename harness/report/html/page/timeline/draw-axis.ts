import { svg } from '../dom.ts';
import { duration, moment } from '../format.ts';
import type { Lane } from './lane.ts';
import type { Quiet } from './lanes.ts';
import { type PlacedSpan, placeSpans } from './place-spans.ts';

/** The part of time that is shown, and the pixels it is shown on. */
export interface AxisFrame {
  fromMs: number;
  toMs: number;
  width: number;
  /** Pixels left of the lanes, for their names; 0 where there is no room for that. */
  gutter: number;
}

const rowHeight = 20;
const laneGap = 8;
/** Above a lane, for its name where there is no gutter. */
const nameHeight = 13;
export const headHeight = 24;
export const footHeight = 20;
const rightMargin = 12;

const rightOf = ({ width }: AxisFrame): number => width - rightMargin;

/** Pixels of a moment. */
export function pixelOf(tMs: number, frame: AxisFrame): number {
  const { fromMs, toMs, gutter } = frame;
  return gutter + ((tMs - fromMs) / (toMs - fromMs)) * (rightOf(frame) - gutter);
}

/** The moment at a pixel. */
export function momentAt(pixel: number, frame: AxisFrame): number {
  const { fromMs, toMs, gutter } = frame;
  const share = (pixel - gutter) / Math.max(1, rightOf(frame) - gutter);
  return fromMs + share * (toMs - fromMs);
}

const measure = document.createElement('canvas').getContext('2d');
function labelWidth(label: string): number {
  if (!measure) return label.length * 6.5;
  measure.font = '600 11px system-ui, -apple-system, sans-serif';
  return measure.measureText(label).width;
}

function drawSpan({ span, row, x, width, label }: PlacedSpan, top: number): Node[] {
  const yOf = (place: number) => top + place * rowHeight;
  const bar = svg('rect', { class: `span ${span.kind}`, x, y: yOf(row) + 2, width, height: rowHeight - 4, rx: 2 });
  if (!label) return [bar];
  const look = label.inside ? `inside ${span.kind}` : 'outside';
  return [bar, svg('text', { class: `span-label ${look}`, x: label.x, y: yOf(label.row) + 14 }, span.label)];
}

interface DrawnLane {
  ground: Node[];
  content: Node[];
  height: number;
}

function drawLane(lane: Lane, laneTop: number, frame: AxisFrame): DrawnLane {
  const { gutter } = frame;
  const above = gutter > 0 ? 0 : nameHeight;
  const top = laneTop + above;
  const right = rightOf(frame);
  const placed = placeSpans(lane, { x: (tMs) => pixelOf(tMs, frame), left: gutter, right, labelWidth });
  const rows = 1 + Math.max(0, ...placed.flatMap(({ row, label }) => [row, label?.row ?? 0]));
  const height = rows * rowHeight;
  const middle = top + height / 2;
  const name =
    gutter > 0
      ? svg('text', { class: 'lane-name', x: gutter - 10, y: middle + 4, 'text-anchor': 'end' }, lane.name)
      : svg('text', { class: 'lane-name small', x: 0, y: top - 3 }, lane.name);
  const ground = svg('rect', { class: 'lane', x: gutter, y: top, width: Math.max(0, right - gutter), height, rx: 3 });
  const ticks = lane.ticks.flatMap(({ tMs, kind, weight }) => {
    const at = pixelOf(tMs, frame);
    if (at < gutter || at > right) return [];
    const tall = (rowHeight - 4) * weight;
    // With spans, ticks go on the first row, which is the spans' own.
    const y = (lane.isSequence ? top : middle - rowHeight / 2) + rowHeight / 2;
    return [svg('line', { class: `tick ${kind}`, x1: at, x2: at, y1: y - tall / 2, y2: y + tall / 2 })];
  });
  return {
    ground: [ground],
    content: [name, ...placed.flatMap((one) => drawSpan(one, top)), ...ticks],
    height: above + height,
  };
}

/** Hatching for time in which nothing was seen. */
const hatch = () =>
  svg(
    'defs',
    {},
    svg(
      'pattern',
      { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
      svg('line', { class: 'hatch-line', x1: 0, x2: 0, y1: 0, y2: 6 }),
    ),
  );

function drawQuiet(quiet: readonly Quiet[], frame: AxisFrame, height: number): Node[] {
  return quiet.flatMap(({ startMs, endMs }) => {
    const start = Math.max(frame.gutter, pixelOf(startMs, frame));
    const end = Math.min(rightOf(frame), pixelOf(endMs, frame));
    if (end - start < 2) return [];
    const label = `${duration(endMs - startMs)} quiet`;
    const text = { class: 'quiet-label', x: (start + end) / 2, y: height - 5, 'text-anchor': 'middle' };
    const band = { x: start, y: headHeight, width: end - start, height: height - headHeight - footHeight };
    return [
      svg('rect', { class: 'quiet', ...band }),
      ...(labelWidth(label) < end - start ? [svg('text', text, label)] : []),
    ];
  });
}

/** Steps of 1, 2 or 5 times a power of ten, about ninety pixels apart. */
function stepOf({ fromMs, toMs, width, gutter }: AxisFrame): number {
  const rough = ((toMs - fromMs) / Math.max(width - gutter, 1)) * 90;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? rough;
}

function drawScale(frame: AxisFrame, height: number): Node[] {
  const step = stepOf(frame);
  const digits = step >= 1000 ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3;
  const nodes: Node[] = [];
  for (let tMs = Math.ceil(frame.fromMs / step) * step; tMs <= frame.toMs; tMs += step) {
    const at = pixelOf(tMs, frame);
    const anchor = at < frame.gutter + 12 ? 'start' : 'middle';
    nodes.push(
      svg('line', { class: 'grid-line', x1: at, x2: at, y1: headHeight - 6, y2: height - footHeight }),
      svg('text', { class: 'scale', x: at, y: 12, 'text-anchor': anchor }, `${(tMs / 1000).toFixed(digits)} s`),
    );
  }
  return nodes;
}

/** Everything but the cursor; `height` is of the whole. */
export function drawAxis(
  lanes: readonly Lane[],
  quiet: readonly Quiet[],
  frame: AxisFrame,
): { nodes: Node[]; height: number } {
  let top = headHeight;
  const drawn = lanes.map((lane) => {
    const one = drawLane(lane, top, frame);
    top += one.height + laneGap;
    return one;
  });
  const height = top + footHeight - laneGap;
  const nodes = [
    hatch(),
    ...drawn.flatMap(({ ground }) => ground),
    ...drawQuiet(quiet, frame, height),
    ...drawScale(frame, height),
    ...drawn.flatMap(({ content }) => content),
  ];
  return { nodes, height };
}

/** A line through all lanes, and its moment above them. */
export function drawCursor(tMs: number, frame: AxisFrame, height: number): Node[] {
  const at = pixelOf(tMs, frame);
  if (at < frame.gutter - 1 || at > frame.width) return [];
  const text = `${moment(tMs)} s`;
  const half = labelWidth(text) / 2 + 6;
  const middle = Math.min(Math.max(at, frame.gutter + half), frame.width - half);
  return [
    svg('line', { x1: at, x2: at, y1: headHeight - 6, y2: height - footHeight }),
    svg('rect', { x: middle - half, y: 0, width: 2 * half, height: 17, rx: 4 }),
    svg('text', { x: middle, y: 12, 'text-anchor': 'middle' }, text),
  ];
}
