/**
 * Thrown by the decoders for malformed input and caught by `inspectBytes` and the extractors: file contents never raise
 * anything else.
 */
export class MalformedFile extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MalformedFile';
  }
}

/** Asserts that there are `length` bytes at `offset`. */
export function need(bytes: Buffer, offset: number, length: number, what: string): void {
  if (offset < 0 || length < 0 || offset + length > bytes.length) {
    throw new MalformedFile(
      `${what} is truncated: expected ${length} bytes at ${offset}, saw ${Math.max(0, bytes.length - offset)}`,
    );
  }
}

/** `subarray` that throws instead of returning fewer bytes. */
export function slice(bytes: Buffer, offset: number, length: number, what: string): Buffer {
  need(bytes, offset, length, what);
  return bytes.subarray(offset, offset + length);
}

/** The value of `decode`, or the reason why there is none. Rethrows anything but MalformedFile. */
export function attempt<T>(decode: () => T): T | { readonly problem: string } {
  try {
    return decode();
  } catch (error) {
    if (error instanceof MalformedFile) return { problem: error.message };
    throw error;
  }
}
