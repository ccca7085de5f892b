/**
 * Thrown by the decoders for malformed input and caught by `inspectBytes` and the extractors: file contents never raise
 * anything else.
 */
export class Malformed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Malformed';
  }
}

/** Asserts that there are `length` bytes at `offset`. */
export function need(bytes: Buffer, offset: number, length: number, what: string): void {
  if (offset < 0 || length < 0 || offset + length > bytes.length) {
    throw new Malformed(`${what} is cut short: ${length} bytes at ${offset} wanted, ${bytes.length} there`);
  }
}

/** `subarray` that throws instead of returning fewer bytes. */
export function slice(bytes: Buffer, offset: number, length: number, what: string): Buffer {
  need(bytes, offset, length, what);
  return bytes.subarray(offset, offset + length);
}

/** The value of `decode`, or the reason why there is none. Rethrows anything but Malformed. */
export function attempt<T>(decode: () => T): T | { readonly problem: string } {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Malformed) return { problem: error.message };
    throw error;
  }
}
