/** The bytes of one direction of a byte stream from `base` on, in whatever order segments arrive. */
export interface StreamWindow {
  /** Position of the window's first byte in the stream. */
  readonly base: number;
  /** Copies what falls inside the window; the rest is ignored. */
  put(position: number, data: Buffer, start: number, end: number): void;
  /** The bytes known without a gap from `base` on; valid until the next call. */
  known(): Buffer;
  /** Moves the window ahead; bytes already known there are kept. */
  advanceTo(position: number): void;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Out-of-order segments beyond this many gaps are ignored until retransmitted. */
const maxRanges = 64;

export function createStreamWindow(capacityBytes: number): StreamWindow {
  const bytes = Buffer.allocUnsafeSlow(capacityBytes);
  let base = 0;
  let ranges: Range[] = [];

  function add(start: number, end: number): void {
    const apart = ranges.filter((range) => range.end < start || range.start > end);
    const touching = ranges.filter((range) => range.end >= start && range.start <= end);
    const merged = {
      start: Math.min(start, ...touching.map((range) => range.start)),
      end: Math.max(end, ...touching.map((range) => range.end)),
    };
    if (apart.length < maxRanges) ranges = [...apart, merged];
  }

  return {
    get base() {
      return base;
    },
    put(position, data, start, end) {
      const skipped = Math.max(0, base - position);
      const offset = position + skipped - base;
      const length = Math.min(end - start - skipped, capacityBytes - offset);
      if (length <= 0) return;
      data.copy(bytes, offset, start + skipped, start + skipped + length);
      add(offset, offset + length);
    },
    known() {
      return bytes.subarray(0, ranges.find((range) => range.start === 0)?.end ?? 0);
    },
    advanceTo(position) {
      const shift = position - base;
      bytes.copyWithin(0, Math.min(shift, capacityBytes));
      ranges = ranges
        .filter((range) => range.end > shift)
        .map((range) => ({ start: Math.max(0, range.start - shift), end: range.end - shift }));
      base = position;
    },
  };
}
