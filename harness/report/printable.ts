/** Makes guest output safe for terminals and files: control characters (C0, C1, DEL) and bidi overrides become `·`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const unprintable = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

export function printable(text: string): string {
  return text.replace(/\s*\r?\n\s*/g, ' ').replace(unprintable, '·');
}

/** Shortened to `length` characters with an ellipsis. */
export function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}
