import { h } from './dom.ts';

export interface Actions {
  search(): void;
  next(): void;
  previous(): void;
  back(): void;
  play(): void;
}

const keys: [key: string, meaning: string][] = [
  ['/', 'search: cases on the first page, the console in a case'],
  ['j, k', 'next case, previous case'],
  ['Esc', 'back to all cases'],
  ['p', 'play the console, or pause it'],
  ['arrows', 'from square to square in the grid; through time on the time axis'],
  ['Page Up, Page Down', 'on the time axis, from event to event'],
  ['+, −, 0', 'on the time axis, enlarge, shrink, show all'],
  ['?', 'this list'],
];

/** Keys that work wherever the focus is, but in a field. Returns the button that shows them. */
export function keyboard(actions: Actions): HTMLElement {
  const dialog = h(
    'dialog',
    { class: 'keys', 'aria-label': 'Keys' },
    h('h2', {}, 'Keys'),
    h(
      'dl',
      {},
      keys.flatMap(([key, meaning]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, meaning)]),
    ),
    h('form', { method: 'dialog' }, h('button', {}, 'Close')),
  );
  document.body.append(dialog);
  const byKey: Record<string, () => void> = {
    '/': actions.search,
    j: actions.next,
    k: actions.previous,
    p: actions.play,
    Escape: actions.back,
    '?': () => dialog.showModal(),
  };
  document.addEventListener('keydown', (event) => {
    const isTyping = (event.target as Element).closest('input, select, textarea, [contenteditable]') !== null;
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    if (isTyping) {
      if (event.key === 'Escape') (event.target as HTMLElement).blur();
      return;
    }
    const action = byKey[event.key];
    if (!action || event.defaultPrevented) return;
    event.preventDefault();
    action();
  });
  return h(
    'button',
    { type: 'button', class: 'theme', 'aria-label': 'Keys', title: 'Keys', onclick: () => dialog.showModal() },
    '?',
  );
}
