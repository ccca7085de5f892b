/** Text from a file is untrusted: anything but printable ASCII becomes a dot, so that no terminal interprets it. */
export function asciiText(text: string, maxLength = 200): string {
  const shown = text.replace(/[^\x20-\x7e]/g, '.');
  return shown.length > maxLength ? `${shown.slice(0, maxLength - 1)}…` : shown;
}

/** A NUL-terminated string at an offset, empty when there is none. */
export function cString(bytes: Buffer, offset: number, maxLength = 200): string {
  if (offset < 0 || offset >= bytes.length) return '';
  const end = bytes.subarray(offset, offset + maxLength).indexOf(0);
  return asciiText(bytes.toString('latin1', offset, end < 0 ? offset + maxLength : offset + end), maxLength);
}

/** A NUL-terminated UCS-2 string, as firmware keeps names and versions. */
export function ucs2String(bytes: Buffer, offset: number, maxLength = 200): string {
  const text = bytes.toString('utf16le', offset, Math.min(bytes.length, offset + 2 * maxLength));
  const end = text.indexOf('\0');
  return asciiText(end < 0 ? text : text.slice(0, end), maxLength);
}
