/**
 * Thrown by the decoders for input that is not what it says, and caught by `inspectBytes` and the extractors: file
 * contents never raise anything else.
 */
export class Malformed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Malformed';
  }
}

/** Asserts that `length` bytes at `offset` are there. */
export function need(bytes: Buffer, offset: number, length: number, what: string): void {
  if (offset < 0 || length < 0 || offset + length > bytes.length) {
    throw new Malformed(`${what} is cut short: ${length} bytes at ${offset} wanted, ${bytes.length} there`);
  }
}

/** `subarray` that refuses to come back shorter than asked for. */
export function slice(bytes: Buffer, offset: number, length: number, what: string): Buffer {
  need(bytes, offset, length, what);
  return bytes.subarray(offset, offset + length);
}

/** The value of `decode`, or the reason why there is none. Anything but Malformed passes through. */
export function attempt<T>(decode: () => T): T | { readonly problem: string } {
  try {
    return decode();
  } catch (error) {
    if (error instanceof Malformed) return { problem: error.message };
    throw error;
  }
}
