import type { ZipLimits } from '../../os/zip-directory.ts';

/** In a bundle, next to what a run's directory holds. */
export const inputsFolder = 'inputs';
export const inputListFile = 'inputs.json';

/** An installer's kernel and initrd are captured twice over; everything else is small. A zip file without ZIP64 ends below 4 GiB. */
export const bundleLimits: ZipLimits = {
  maxEntries: 50_000,
  maxEntryBytes: 1 << 30,
  maxTotalBytes: 0xf000_0000,
  // Logs and flash images are mostly the same few bytes.
  maxRatio: 100,
  ratioGraceBytes: 256 << 20,
};

/** One file that cases depend on, in `inputListFile`. */
export interface BundledInput {
  sha256: string;
  bytes: number;
  name: string;
  package?: { name: string; version: string };
  /** It is in the bundle, by its SHA-256. */
  included: boolean;
}
