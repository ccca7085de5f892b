import { h } from './dom.ts';

/** A command in full, and a button that copies it. */
export function copyable(label: string, command: string, note?: string): HTMLElement {
  const code = h('code', {}, command);
  const button = h('button', { type: 'button', class: 'copy', 'aria-label': `Copy: ${label}` }, 'Copy');
  button.addEventListener('click', async () => {
    const done = await copy(command, code);
    button.textContent = done ? 'Copied' : 'Press Ctrl-C';
    button.addEventListener('blur', () => button.replaceChildren('Copy'), { once: true });
  });
  return h(
    'div',
    { class: 'command' },
    h('div', { class: 'command-head' }, h('h3', {}, label), button),
    note && h('p', { class: 'hint' }, note),
    h('pre', { tabindex: 0, role: 'region', 'aria-label': label }, code),
  );
}

/** Not every browser lets a file copy; then the text is selected, for the reader to. */
async function copy(text: string, element: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return false;
  }
}
