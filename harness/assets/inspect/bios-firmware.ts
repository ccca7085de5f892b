import { asciiText } from './file-text.ts';

/** A legacy BIOS, recognised by its last 16 bytes and its strings. */
export interface BiosFirmwareFacts {
  readonly program: 'SeaBIOS' | 'unknown';
  readonly version: string | null;
  /** Month, day and year at F000:FFF5. */
  readonly date: string;
}

/** The CPU starts 16 bytes before the end; a PC's BIOS has a far jump into segment F000 there, then its date. */
const resetBytes = 16;
const farJump = 0xea;
const biosSegment = 0xf000;
const datePattern = /^\d\d\/\d\d\/\d\d$/;
/** QEMU's own are 128 and 256 KiB; a PC's BIOS has at most a few megabytes. */
const unitBytes = 64 * 1024;
const maxBytes = 16 * 1024 * 1024;

/** `undefined`: not a legacy BIOS. */
export function inspectBiosFirmware(bytes: Buffer): BiosFirmwareFacts | undefined {
  if (bytes.length === 0 || bytes.length % unitBytes !== 0 || bytes.length > maxBytes) return undefined;
  const reset = bytes.subarray(bytes.length - resetBytes);
  if (reset[0] !== farJump || reset.readUInt16LE(3) !== biosSegment) return undefined;
  const date = reset.toString('latin1', 5, 13);
  if (!datePattern.test(date)) return undefined;
  const isSeabios = bytes.includes('SeaBIOS (version ', 0, 'latin1');
  // The banner is a format string; the version is a separate string.
  const version = isSeabios
    ? /(?<=[^\x20-\x7e])(?:rel-)?\d+\.\d+\.\d+[-\w.]*(?=\0)/.exec(bytes.toString('latin1'))?.[0]
    : undefined;
  return {
    program: isSeabios ? 'SeaBIOS' : 'unknown',
    version: version === undefined ? null : asciiText(version),
    date,
  };
}
