import { screenSize } from '../../../../model/console-screen.ts';
import type { ConsoleChunk } from '../../report-data.ts';
import { h } from '../dom.ts';
import { moment } from '../format.ts';
import { openPlayback } from './playback.ts';
import { runElement, runsOf } from './styled-text.ts';

/** The console as it stood at a moment, and its playback. */
export interface ScreenView {
  element: HTMLElement;
  seek(tMs: number): void;
  toggle(): void;
  /** Stops the clock; the view may be left. */
  pause(): void;
}

export interface ScreenOptions {
  chunks: readonly ConsoleChunk[];
  endMs: number;
  /** The playback came to a moment. */
  onMoment: (tMs: number) => void;
}

const speeds = [1, 2, 4, 8] as const;

export function screenView({ chunks, endMs, onMoment }: ScreenOptions): ScreenView {
  const lines = Array.from({ length: screenSize.rows }, () => h('div', { class: 'screen-line' }));
  const caret = h('span', { class: 'caret', 'aria-hidden': 'true' });
  const screen = h(
    'div',
    { class: 'console screen', role: 'img', 'aria-label': 'The console as it stood at the moment shown' },
    h('div', { class: 'screen-lines' }, lines, caret),
  );
  const drawn: string[] = [];

  function draw(): void {
    const { active } = playback.terminal.buffer;
    lines.forEach((element, row) => {
      const line = active.getLine(active.baseY + row);
      const runs = line ? runsOf(line) : [];
      const key = JSON.stringify(runs);
      if (drawn[row] === key) return;
      drawn[row] = key;
      element.replaceChildren(...runs.map(runElement));
    });
    // In units of a character: the line height is set in the style sheet.
    caret.style.setProperty('--column', String(Math.min(active.cursorX, screenSize.cols - 1)));
    caret.style.setProperty('--row', String(active.cursorY));
    position.value = String(Math.round(playback.tMs));
    clock.textContent = `${moment(playback.tMs)} s`;
    play.textContent = playback.playing ? '❚❚' : '►';
    play.setAttribute('aria-label', playback.playing ? 'Pause' : 'Play');
    screen.classList.toggle('playing', playback.playing);
    if (playback.playing) onMoment(playback.tMs);
  }
  const playback = openPlayback(chunks, endMs, () => draw());

  const toggle = (): void => {
    if (playback.playing) playback.pause();
    else playback.play();
    draw();
  };
  const play = h('button', { type: 'button', class: 'play', 'aria-label': 'Play', onclick: toggle }, '►');
  const position = h('input', {
    type: 'range',
    min: 0,
    max: Math.round(endMs),
    value: 0,
    'aria-label': 'Moment of the playback, in milliseconds',
    oninput: () => {
      playback.seek(Number(position.value));
      onMoment(playback.tMs);
    },
  });
  const clock = h('output', { class: 'clock' }, '0.000 s');
  const speed = h(
    'select',
    {
      'aria-label': 'Speed',
      onchange: () => {
        playback.speed = Number(speed.value);
      },
    },
    speeds.map((times) => h('option', { value: times }, `${times} ×`)),
  );
  const skip = h('input', {
    type: 'checkbox',
    checked: true,
    onchange: () => {
      playback.skipsWaits = skip.checked;
    },
  });
  const controls = h('div', { class: 'transport' }, play, position, clock, speed, h('label', {}, skip, ' skip waits'));
  playback.seek(endMs);
  return {
    element: h('div', { class: 'screen-view' }, screen, controls),
    seek: (tMs) => playback.seek(tMs),
    toggle,
    pause: () => playback.pause(),
  };
}
