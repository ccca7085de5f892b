import { asciiText } from './file-text.ts';

/** What a BIOS network boot program seems to be: it has no header, so this goes by its strings. */
export interface BiosNbpFacts {
  readonly program: 'iPXE' | 'PXELINUX' | 'GRUB' | 'unknown';
  /** The string in the file that this rests on. */
  readonly evidence: string;
  /** Where the file says. */
  readonly version: string | null;
}

/** PXE 2.1 §2.4.4 loads an NBP at 0:7C00; it fits below 640 KiB, less what firmware reserves. */
const maxNbpBytes = 640 * 1024;

const signs: readonly { program: BiosNbpFacts['program']; text: string; version?: RegExp }[] = [
  // The first is in the prefix of every PXE build, which looks for the loader's PXE entry points first.
  { program: 'iPXE', text: 'No PXE stack found!' },
  { program: 'iPXE', text: 'ipxe.org' },
  { program: 'PXELINUX', text: 'PXELINUX', version: /PXELINUX(?: lwIP)? (\d[\w.+~-]*)/ },
  { program: 'GRUB', text: 'GRUB' },
];

/** Bytes that start x86 code at the load address: jumps, a far jump (iPXE), CLI, PUSHF/PUSHA. */
const firstBytes = [0xea, 0xeb, 0xe9, 0xfa, 0x9c, 0x60, 0x66, 0x0e, 0x1e, 0x31, 0x33, 0xfc, 0x8c, 0xb8];

/** `undefined`: nothing identifies it as one. */
export function inspectBiosNbp(bytes: Buffer): BiosNbpFacts | undefined {
  if (bytes.length < 32 || bytes.length > maxNbpBytes || !firstBytes.includes(bytes[0] as number)) return undefined;
  const found = signs.find(({ text }) => bytes.includes(text, 0, 'latin1'));
  if (found === undefined) return undefined;
  const at = bytes.indexOf(found.text, 0, 'latin1');
  const words = bytes.toString('latin1', at, at + 60).replace(/[\0\r\n].*$/s, '');
  return {
    program: found.program,
    evidence: asciiText(words),
    version: found.version?.exec(words)?.[1] ?? null,
  };
}
