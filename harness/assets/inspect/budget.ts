import { Malformed } from './malformed.ts';

/** What one inspection may spend, whatever the file claims. */
export interface Budget {
  /** Reserves space for a decompressed stream before it is allocated; throws Malformed when there is none left. */
  decompress(bytes: number): void;
  /** Counts one structure (volume, file, section, image); throws Malformed when there are too many. */
  visit(): void;
}

export const maxDepth = 12;

const mebibyte = 1 << 20;

export function createBudget({ decompressedBytes = 64 * mebibyte, visits = 100_000 } = {}): Budget {
  let bytesLeft = decompressedBytes;
  let visitsLeft = visits;
  return {
    decompress(bytes) {
      if (bytes > bytesLeft) throw new Malformed(`decompresses to more than ${decompressedBytes / mebibyte} MiB`);
      bytesLeft -= bytes;
    },
    visit() {
      if (visitsLeft-- <= 0) throw new Malformed(`has more than ${visits} structures`);
    },
  };
}
