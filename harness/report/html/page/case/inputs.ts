import type { CaseRecord } from '../../report-data.ts';
import { h } from '../dom.ts';
import { bytes } from '../format.ts';

/** The files the case was run with, each by content. */
export function inputsTable({ inputs }: CaseRecord): HTMLElement {
  const rows = inputs.map(({ role, path, sha256, bytes: size, identity, package: origin }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, role),
      h(
        'td',
        {},
        h('b', {}, origin ? `${origin.name} ${origin.version}` : 'no package'),
        h('span', { class: 'identity' }, identity ?? ''),
        h('code', { class: 'path' }, path),
      ),
      h('td', { class: 'number' }, bytes(size)),
      h('td', {}, h('code', { class: 'sha' }, sha256)),
    ),
  );
  const head = ['Role', 'Package, contents, path', 'Size', 'SHA-256'].map((title) => h('th', { scope: 'col' }, title));
  return h(
    'div',
    { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Inputs' },
    h('table', { class: 'inputs' }, h('thead', {}, h('tr', {}, head)), h('tbody', {}, rows)),
  );
}

const recordFiles = ['serial.raw', 'console.txt', 'events.jsonl', 'wire.pcapng', 'plan.json', 'qemu.stderr'];

/** Links to the records of an attempt, for a report that still lies in its run's directory. */
export function recordLinks(directory: string): HTMLElement | null {
  const parts = directory.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return null;
  const folder = `./${parts.map(encodeURIComponent).join('/')}`;
  const links = recordFiles.map((name) => h('a', { href: `${folder}/${name}` }, name));
  return h(
    'p',
    { class: 'record-links' },
    'Next to this report: ',
    links.flatMap((link, index) => (index === 0 ? [link] : [' · ', link])),
  );
}
