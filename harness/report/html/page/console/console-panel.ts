import type { AttemptRecord } from '../../report-data.ts';
import { h } from '../dom.ts';
import { download } from '../download.ts';
import { bytes } from '../format.ts';
import { asciicast } from './asciicast.ts';
import { screenView } from './screen-view.ts';
import { renderTranscript } from './transcript.ts';
import { type TranscriptView, transcriptView } from './transcript-view.ts';

export interface ConsolePanel {
  element: HTMLElement;
  /** Shows what stood on the console at `tMs`. */
  show(tMs: number): void;
  focusSearch(): void;
  togglePlayback(): void;
  leave(): void;
}

export interface ConsoleOptions {
  attempt: AttemptRecord;
  title: string;
  /** A moment is pointed at, by a click on a line or by the playback. */
  onPoint: (tMs: number) => void;
}

type Mode = 'transcript' | 'screen';

/** The console twice: everything that was printed, and the screen as it stood, played back. */
export async function consolePanel({ attempt, title, onPoint }: ConsoleOptions): Promise<ConsolePanel> {
  const screens = await renderTranscript(attempt.console);
  const transcript = transcriptView({ screens, failure: attempt.failure?.text, onPoint });
  const screen = screenView({ chunks: attempt.console, endMs: attempt.durationMs, onMoment: onPoint });
  const search = searchBox(transcript);
  let mode: Mode = 'transcript';

  const tabs = new Map<Mode, HTMLButtonElement>();
  const choose = (chosen: Mode): void => {
    mode = chosen;
    for (const [name, tab] of tabs) tab.setAttribute('aria-pressed', String(name === mode));
    transcript.element.hidden = mode !== 'transcript';
    search.element.hidden = mode !== 'transcript';
    screen.element.hidden = mode !== 'screen';
    if (mode === 'transcript') screen.pause();
  };
  const tab = (name: Mode, label: string) => {
    const button = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => choose(name) }, label);
    tabs.set(name, button);
    return button;
  };
  const save = h(
    'button',
    {
      type: 'button',
      title: 'Recording for asciinema',
      onclick: () => {
        const recording = asciicast(attempt.console, { title, startedAt: attempt.startedAt });
        download(`${title}.cast`, 'application/x-asciicast', recording);
      },
    },
    'Save .cast',
  );
  const leftOut =
    attempt.consoleBytesLeftOut > 0 &&
    h(
      'p',
      { class: 'left-out' },
      `${bytes(attempt.consoleBytesLeftOut)} in the middle are left out here; serial.raw has them.`,
    );
  const element = h(
    'section',
    { class: 'panel console-panel', 'aria-label': 'Console' },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', {}, 'Console'),
      h(
        'div',
        { class: 'tabs', role: 'group', 'aria-label': 'View' },
        tab('transcript', 'Everything'),
        tab('screen', 'Playback'),
      ),
      search.element,
      save,
    ),
    leftOut,
    transcript.element,
    screen.element,
  );
  choose('transcript');
  return {
    element,
    show(tMs) {
      if (mode === 'transcript') transcript.scrollTo(tMs);
      else screen.seek(tMs);
    },
    focusSearch() {
      choose('transcript');
      search.focus();
    },
    togglePlayback() {
      choose('screen');
      screen.toggle();
    },
    leave: () => screen.pause(),
  };
}

function searchBox(transcript: TranscriptView): { element: HTMLElement; focus(): void } {
  let count = 0;
  let index = 0;
  const said = h('output', { class: 'match-count' });
  const show = (to: number): void => {
    if (count > 0) {
      index = (to + count) % count;
      transcript.showMatch(index);
    }
    said.textContent = input.value === '' ? '' : count === 0 ? 'nothing' : `${index + 1}/${count}`;
  };
  const input = h('input', {
    type: 'search',
    placeholder: 'Search the console',
    'aria-label': 'Search the console',
    oninput: () => {
      count = transcript.search(input.value);
      show(0);
    },
    onkeydown: (event: KeyboardEvent) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      show(index + (event.shiftKey ? -1 : 1));
    },
  });
  const step = (label: string, name: string, by: number) =>
    h('button', { type: 'button', class: 'small', 'aria-label': name, onclick: () => show(index + by) }, label);
  return {
    element: h('div', { class: 'search' }, input, said, step('↑', 'Previous match', -1), step('↓', 'Next match', 1)),
    focus: () => input.focus(),
  };
}
