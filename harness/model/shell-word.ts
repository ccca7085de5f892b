const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Would move a terminal's cursor, or worse; line feed and tab are harmless. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it matches
const control = /[\0-\x08\x0b-\x1f\x7f]/;

/** The text escaped for printf's %b (POSIX). */
function escaped(text: string): string {
  return [...text.replaceAll('\\', '\\\\')]
    .map((char) => (control.test(char) ? `\\0${char.charCodeAt(0).toString(8).padStart(3, '0')}` : char))
    .join('');
}

/** One word for a POSIX shell, safe to print on a terminal. */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  // Command substitution strips trailing line feeds.
  const isPrinted = control.test(text) && !text.endsWith('\n');
  return isPrinted ? `"$(printf %b ${quoted(escaped(text))})"` : quoted(text);
}
