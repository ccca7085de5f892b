import { clip, printable } from './printable.ts';

/** Text of a guest or a file name inside an HTML element of a Markdown page. */
export function html(text: string, maxLength = 400): string {
  return clip(printable(text), maxLength).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The same as inline Markdown: neither HTML nor table syntax nor formatting gets through. */
export function inline(text: string, maxLength?: number): string {
  return html(text, maxLength).replace(/[\\`*_|[\]~#]/g, '\\$&');
}

/** Inline code; in tables a pipe needs its backslash even there. */
export function code(text: string): string {
  return `\`${printable(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``;
}

/** A Markdown table; cells are Markdown already. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
