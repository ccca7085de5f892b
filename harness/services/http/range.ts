/** Bytes [start, end) of a file. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The one range of a `Range` header (RFC 9110 §14.1.2). `undefined`: serve the whole file, which is also
 * the answer to several ranges and to anything but a byte range; `unsatisfiable`: answer 416.
 */
export function parseRange(header: string | undefined, fileBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const found = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '');
  if (!found) return undefined;
  const [, first = '', last = ''] = found;
  if (first === '') {
    if (last === '') return undefined;
    const suffixBytes = Math.min(Number(last), fileBytes);
    return suffixBytes === 0 ? 'unsatisfiable' : { start: fileBytes - suffixBytes, end: fileBytes };
  }
  const start = Number(first);
  const end = last === '' ? fileBytes : Math.min(Number(last) + 1, fileBytes);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= fileBytes ? 'unsatisfiable' : { start, end };
}
