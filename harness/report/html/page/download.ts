import { h } from './dom.ts';

/** Hands the reader a file made here. */
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h('a', { href: url, download: name });
  link.click();
  // The browser has taken its own hold of it once the click has been dealt with.
  setTimeout(() => URL.revokeObjectURL(url));
}
