import { MalformedFile } from './malformed.ts';

/** What one inspection may spend, whatever the file claims. */
export interface Budget {
  /** Reserves space for a decompressed stream before it is allocated; throws MalformedFile when there is none left. */
  decompress(bytes: number): void;
  /** Counts one structure (volume, file, section, image); throws MalformedFile when there are too many. */
  visit(): void;
}

export const maxDepth = 12;

const mebibyte = 1 << 20;

export function createBudget({ decompressedBytes = 64 * mebibyte, visits = 100_000 } = {}): Budget {
  let bytesLeft = decompressedBytes;
  let visitsLeft = visits;
  return {
    decompress(bytes) {
      if (bytes > bytesLeft) throw new MalformedFile(`decompresses to more than ${decompressedBytes / mebibyte} MiB`);
      bytesLeft -= bytes;
    },
    visit() {
      if (visitsLeft-- <= 0) throw new MalformedFile(`has more than ${visits} structures`);
    },
  };
}
