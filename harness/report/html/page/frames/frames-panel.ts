import type { AttemptRecord } from '../../report-data.ts';
import { h } from '../dom.ts';
import { moment, plural } from '../format.ts';
import { type Frame, framesOf, type Protocol, protocols } from './frames.ts';

export interface FramesPanel {
  element: HTMLElement;
  /** Scrolls to the frames of a moment. */
  show(tMs: number): void;
}

const who: Record<Frame['from'], { sign: string; words: string }> = {
  guest: { sign: '→', words: 'from the guest' },
  server: { sign: '←', words: 'to the guest' },
  harness: { sign: '·', words: 'what the server says of it' },
};

/** Neighbour discovery says little, and often. */
const hiddenAtFirst: readonly Protocol[] = ['ARP', 'ICMPv6'];

/** Frames in the order of the wire, with the decisions of the harness's servers; `onPoint` gets the time of a clicked one. */
export function framesPanel(attempt: AttemptRecord, onPoint: (tMs: number) => void): FramesPanel {
  const frames = framesOf(attempt);
  const rows = frames.map((frame) => ({ frame, element: frameRow(frame, onPoint) }));
  const list = h('div', { class: 'frames', tabindex: 0, role: 'region', 'aria-label': 'Frames, in order' });
  const present = protocols.filter((protocol) => frames.some((frame) => frame.protocol === protocol));
  const shown = new Set(present.filter((protocol) => !hiddenAtFirst.includes(protocol)));
  const empty = h(
    'p',
    { class: 'empty' },
    frames.length === 0 ? 'The guest sent no frame.' : 'All kinds of frames are switched off.',
  );

  const fill = (): void => {
    const visible = rows.filter(({ frame }) => shown.has(frame.protocol));
    list.replaceChildren(...(visible.length > 0 ? visible.map(({ element }) => element) : [empty]));
  };
  const chip = (protocol: Protocol) => {
    const count = frames.filter((frame) => frame.protocol === protocol).length;
    const button = h(
      'button',
      {
        type: 'button',
        class: 'chip',
        'aria-pressed': String(shown.has(protocol)),
        onclick: () => {
          if (!shown.delete(protocol)) shown.add(protocol);
          button.setAttribute('aria-pressed', String(shown.has(protocol)));
          fill();
        },
      },
      `${protocol} `,
      h('span', { class: 'count' }, count),
    );
    return button;
  };
  fill();
  let current: HTMLElement | undefined;
  return {
    element: h(
      'section',
      { class: 'panel frames-panel', 'aria-label': 'Frames' },
      h(
        'div',
        { class: 'panel-head' },
        h('h2', {}, 'Frames'),
        h('div', { class: 'chips', role: 'group', 'aria-label': 'Protocols' }, present.map(chip)),
      ),
      attempt.eventsLeftOut > 0 &&
        h(
          'p',
          { class: 'left-out' },
          `${plural(attempt.eventsLeftOut, 'event')} in the middle are left out here; events.jsonl has them.`,
        ),
      list,
    ),
    show(tMs) {
      let target: HTMLElement | undefined;
      for (const { frame, element } of rows) if (frame.tMs <= tMs && element.isConnected) target = element;
      if (target === current) return;
      current?.classList.remove('now');
      current = target;
      current?.classList.add('now');
      if (current) list.scrollTop = current.offsetTop - list.clientHeight / 2;
    },
  };
}

function frameRow(frame: Frame, onPoint: (tMs: number) => void): HTMLElement {
  const { tMs, from, protocol, summary, fields, bad } = frame;
  const { sign, words } = who[from];
  const line = [
    h('span', { class: 'frame-time' }, moment(tMs)),
    h(
      'span',
      { class: `frame-from ${from}`, title: words },
      h('span', { 'aria-hidden': 'true' }, sign),
      h('span', { class: 'unseen' }, words),
    ),
    h('span', { class: 'frame-protocol' }, protocol),
    h('span', { class: 'frame-summary' }, summary),
  ];
  const look = `frame ${from}${bad ? ' bad' : ''}`;
  if (fields.length === 0) return h('div', { class: `${look} plain`, onclick: () => onPoint(tMs) }, line);
  return h(
    'details',
    { class: look },
    h('summary', { onclick: () => onPoint(tMs) }, line),
    h(
      'dl',
      { class: 'fields' },
      fields.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value || '–')]),
    ),
  );
}
