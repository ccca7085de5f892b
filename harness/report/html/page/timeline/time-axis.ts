import type { AttemptRecord } from '../../report-data.ts';
import { h, svg } from '../dom.ts';
import { moment } from '../format.ts';
import { describeMoment, nextMoment } from './describe-moment.ts';
import { type AxisFrame, drawAxis, drawCursor, footHeight, headHeight, momentAt, pixelOf } from './draw-axis.ts';
import { lanesOf, quietTimes } from './lanes.ts';

/** One time axis for everything an attempt did. */
export interface TimeAxis {
  element: HTMLElement;
  /** Shows a moment, without calling `onPoint`. */
  show(tMs: number): void;
}

export interface TimeAxisOptions {
  attempt: AttemptRecord;
  /** A moment is pointed at; `chosen` when it was clicked or reached by key. */
  onPoint: (tMs: number, chosen: boolean) => void;
}

const leastShownMs = 5;
/** A press that moves further than this is a drag. */
const dragPixels = 6;
const nearPixels = 4;

export function timeAxis({ attempt, onPoint }: TimeAxisOptions): TimeAxis {
  const lanes = lanesOf(attempt);
  const quiet = quietTimes(attempt);
  const endMs = Math.max(attempt.durationMs, 1);
  let frame: AxisFrame = { fromMs: 0, toMs: endMs, width: 0, gutter: 0 };
  let height = 0;
  let now = 0;
  let dragStart: number | undefined;

  const drawing = svg('svg', { class: 'axis-drawing', 'aria-hidden': 'true' });
  const cursor = svg('g', { class: 'axis-cursor' });
  const selection = svg('rect', { class: 'axis-selection', y: headHeight });
  const readout = h('p', { class: 'axis-readout' });
  const slider = h(
    'div',
    {
      class: 'axis-slider',
      role: 'slider',
      tabindex: 0,
      title: 'Drag over a part of the time to enlarge it',
      'aria-label': 'Moment of the boot',
      'aria-valuemin': 0,
      'aria-valuemax': Math.round(endMs),
    },
    drawing,
  );

  function showNow(): void {
    cursor.replaceChildren(...drawCursor(now, frame, height));
    const nearMs = ((frame.toMs - frame.fromMs) / Math.max(frame.width, 1)) * nearPixels;
    const said = describeMoment(lanes, quiet, now, nearMs);
    readout.replaceChildren(h('b', {}, `${moment(now)} s`), ` ${said}`);
    slider.setAttribute('aria-valuenow', String(Math.round(now)));
    slider.setAttribute('aria-valuetext', `${moment(now)} seconds: ${said}`);
  }
  function draw(): void {
    if (frame.width === 0) return;
    const drawn = drawAxis(lanes, quiet, frame);
    height = drawn.height;
    // With a view box it shrinks to the width of a sheet.
    const viewBox = `0 0 ${frame.width} ${height}`;
    for (const [name, value] of Object.entries({ width: frame.width, height, viewBox }))
      drawing.setAttribute(name, String(value));
    drawing.replaceChildren(...drawn.nodes, cursor);
    showNow();
  }
  const choose = (tMs: number, chosen: boolean): void => {
    now = Math.min(endMs, Math.max(0, tMs));
    showNow();
    onPoint(now, chosen);
  };

  function zoom(startMs: number, stopMs: number): void {
    const span = Math.min(endMs, Math.max(Math.min(endMs, leastShownMs), stopMs - startMs));
    const fromMs = Math.min(Math.max(0, startMs), endMs - span);
    frame = { ...frame, fromMs, toMs: fromMs + span };
    draw();
  }
  const zoomBy = (factor: number): void => {
    const { fromMs, toMs } = frame;
    const middle = now >= fromMs && now <= toMs ? now : (fromMs + toMs) / 2;
    const span = (toMs - fromMs) * factor;
    const startMs = middle - span * ((middle - fromMs) / (toMs - fromMs));
    zoom(startMs, startMs + span);
  };
  const zoomOut = (): void => zoom(0, endMs);

  const pixelsOf = (event: MouseEvent): number => event.clientX - drawing.getBoundingClientRect().left;
  const isDrag = (at: number): boolean => dragStart !== undefined && Math.abs(at - dragStart) > dragPixels;
  const endDrag = (): void => {
    dragStart = undefined;
    selection.remove();
  };
  slider.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    dragStart = pixelsOf(event);
    slider.setPointerCapture(event.pointerId);
  });
  slider.addEventListener('pointermove', (event) => {
    const at = pixelsOf(event);
    if (dragStart !== undefined && isDrag(at)) {
      selection.setAttribute('x', String(Math.min(at, dragStart)));
      selection.setAttribute('width', String(Math.abs(at - dragStart)));
      selection.setAttribute('height', String(height - headHeight - footHeight));
      drawing.append(selection);
    }
    if (at >= frame.gutter) choose(momentAt(at, frame), false);
  });
  slider.addEventListener('pointerup', (event) => {
    const at = pixelsOf(event);
    const start = dragStart ?? at;
    if (isDrag(at)) zoom(momentAt(Math.min(start, at), frame), momentAt(Math.max(start, at), frame));
    else choose(momentAt(at, frame), true);
    endDrag();
  });
  slider.addEventListener('pointercancel', endDrag);
  slider.addEventListener('dblclick', zoomOut);

  slider.addEventListener('keydown', (event) => {
    const step = (frame.toMs - frame.fromMs) / (event.shiftKey ? 10 : 100);
    const moves: Record<string, () => void> = {
      ArrowRight: () => choose(now + step, true),
      ArrowLeft: () => choose(now - step, true),
      PageDown: () => choose(nextMoment(lanes, now, 1), true),
      PageUp: () => choose(nextMoment(lanes, now, -1), true),
      Home: () => choose(0, true),
      End: () => choose(endMs, true),
      '+': () => zoomBy(0.5),
      '-': () => zoomBy(2),
      '0': zoomOut,
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
    const at = pixelOf(now, frame);
    if (at < frame.gutter || at > frame.width)
      zoom(now - (frame.toMs - frame.fromMs) / 2, now + (frame.toMs - frame.fromMs) / 2);
  });
  new ResizeObserver(() => {
    if (slider.clientWidth === frame.width) return;
    frame = { ...frame, width: slider.clientWidth, gutter: slider.clientWidth < 560 ? 0 : 84 };
    draw();
  }).observe(slider);

  const button = (label: string, name: string, onclick: () => void) =>
    h('button', { type: 'button', class: 'small', title: name, 'aria-label': name, onclick }, label);
  const tools = h(
    'div',
    { class: 'axis-tools' },
    button('−', 'Shrink', () => zoomBy(2)),
    button('+', 'Enlarge', () => zoomBy(0.5)),
    button('all', 'Show all', zoomOut),
  );
  return {
    element: h('div', { class: 'axis' }, slider, h('div', { class: 'axis-foot' }, readout, tools)),
    show(tMs) {
      now = Math.min(endMs, Math.max(0, tMs));
      showNow();
    },
  };
}
