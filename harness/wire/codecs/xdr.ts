/** Items are padded to a multiple of four bytes (RFC 4506 §3). */
const padded = (bytes: number): number => Math.ceil(bytes / 4) * 4;

/**
 * Reads XDR (RFC 4506) from a view. Reading past the end yields 0 or empty and sets `short`, so that callers read a
 * whole structure and check once.
 */
export interface XdrReader {
  readonly short: boolean;
  uint32(): number;
  /** Exact up to 2^53. */
  uint64(): number;
  /** Variable-length opaque data, as a view; longer than `maxBytes` also sets `short`. */
  opaque(maxBytes: number): Buffer;
  skip(bytes: number): void;
}

export function readXdr(data: Buffer, start = 0): XdrReader {
  let at = start;
  let short = false;

  /** Offset of the next `bytes`; undefined if they are not there. */
  const take = (bytes: number): number | undefined => {
    short ||= bytes > data.length - at;
    if (short) return undefined;
    at += bytes;
    return at - bytes;
  };
  const uint32 = (): number => {
    const position = take(4);
    return position === undefined ? 0 : data.readUInt32BE(position);
  };

  return {
    get short() {
      return short;
    },
    uint32,
    uint64: () => uint32() * 0x1_0000_0000 + uint32(),
    opaque(maxBytes) {
      const length = uint32();
      if (length > maxBytes) short = true;
      const position = take(padded(length));
      return position === undefined ? Buffer.alloc(0) : data.subarray(position, position + length);
    },
    skip(bytes) {
      take(padded(bytes));
    },
  };
}

export const uint32s = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, 4 * index);
  });
  return bytes;
};

/** The two words of a number below 2^53. */
export const words = (value: number): [number, number] => [Math.floor(value / 0x1_0000_0000), value % 0x1_0000_0000];

export function opaque(data: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + padded(data.length));
  bytes.writeUInt32BE(data.length, 0);
  data.copy(bytes, 4);
  return bytes;
}
