import { type BiosFirmwareFacts, inspectBiosFirmware } from './bios-firmware.ts';
import { type BiosNbpFacts, inspectBiosNbp } from './bios-nbp.ts';
import { type Budget, createBudget } from './budget.ts';
import { type FirmwareFacts, inspectFirmware } from './firmware.ts';
import { type IpxeFacts, inspectIpxe } from './ipxe.ts';
import { inspectLinuxKernel, isLinuxKernel, type LinuxKernelFacts } from './linux-kernel.ts';
import { attempt } from './malformed.ts';
import { inspectOptionRom, isOptionRom, type OptionRomFacts } from './option-rom.ts';
import { inspectPe, isPe, type PeFacts } from './pe.ts';
import { readForInspection } from './read-bounded.ts';

interface Inspected<T extends string> {
  readonly type: T;
  readonly bytes: number;
}

export type Inspection =
  | (Inspected<'option-rom'> & OptionRomFacts)
  | (Inspected<'firmware'> & FirmwareFacts)
  | (Inspected<'bios'> & BiosFirmwareFacts)
  | (Inspected<'kernel'> & LinuxKernelFacts)
  | (Inspected<'pe'> & { readonly pe: PeFacts; readonly ipxe: IpxeFacts | null })
  | (Inspected<'bios-nbp'> & BiosNbpFacts)
  /** Looks like `looksLike` but is damaged. */
  | (Inspected<'broken'> & { readonly looksLike: string; readonly problem: string })
  | (Inspected<'unknown'> & { readonly guess: string | null });

/** A flash image in this format cannot be inspected. */
export const qcow2Guess = 'a qcow2 image: convert it to raw to inspect it';

const magics: readonly { readonly hex: string; readonly at?: number; readonly is: string }[] = [
  { hex: '1f8b', is: 'gzip data (an initrd?)' },
  { hex: '28b52ffd', is: 'Zstandard data' },
  { hex: 'fd377a585a00', is: 'xz data' },
  { hex: '303730373031', is: 'a cpio archive (an initrd?)' },
  { hex: '514649fb', is: qcow2Guess },
  { hex: '7f454c46', is: 'an ELF file' },
  { hex: '213c617263683e', is: 'an ar archive (a Debian package?)' },
  { hex: '4344303031', at: 0x8001, is: 'an ISO 9660 image' },
  { hex: '2321', is: 'a script' },
];

function guessOf(bytes: Buffer): string | null {
  if (bytes.length === 0) return 'an empty file';
  const known = magics.find(({ hex, at = 0 }) => bytes.subarray(at, at + hex.length / 2).toString('hex') === hex);
  if (known !== undefined) return known.is;
  if (bytes.length >= 512 && bytes.readUInt16LE(0) === 0xaa55)
    return 'an option ROM without a PCI data structure (ISA?)';
  return bytes.length >= 512 && bytes.readUInt16LE(510) === 0xaa55 ? 'a boot sector' : null;
}

function wrap<T extends Inspection>(looksLike: string, bytes: number, decode: () => T): Inspection {
  const result = attempt(decode);
  return 'problem' in result && !('type' in result)
    ? { type: 'broken', bytes, looksLike, problem: result.problem }
    : (result as T);
}

/**
 * What these bytes are, trying the most reliable signs first. Never throws because of the file's contents, and stays
 * within the budget.
 */
export function inspectBytes(file: Buffer, budget: Budget = createBudget()): Inspection {
  const bytes = file.length;
  if (isOptionRom(file)) return { type: 'option-rom', bytes, ...inspectOptionRom(file, budget) };
  if (isLinuxKernel(file)) {
    return wrap('a Linux kernel', bytes, () => ({ type: 'kernel', bytes, ...inspectLinuxKernel(file) }));
  }
  if (isPe(file)) {
    return wrap('a PE image', bytes, () => ({
      type: 'pe',
      bytes,
      pe: inspectPe(file),
      ipxe: inspectIpxe(file) ?? null,
    }));
  }
  const firmware = attempt(() => inspectFirmware(file, budget) ?? { none: true });
  if ('problem' in firmware)
    return { type: 'broken', bytes, looksLike: 'a firmware volume', problem: firmware.problem };
  if (!('none' in firmware)) return { type: 'firmware', bytes, ...firmware };
  const bios = inspectBiosFirmware(file);
  if (bios !== undefined) return { type: 'bios', bytes, ...bios };
  const nbp = inspectBiosNbp(file);
  if (nbp !== undefined) return { type: 'bios-nbp', bytes, ...nbp };
  return { type: 'unknown', bytes, guess: guessOf(file) };
}

/** Rejects with HarnessError `bad-file` for a file that cannot be read; of a large one only the beginning is inspected. */
export async function inspectFile(path: string): Promise<Inspection> {
  const { read, bytes, whole } = await readForInspection(path);
  return whole ? inspectBytes(read) : { type: 'unknown', bytes, guess: guessOf(read) ?? 'a file too large to inspect' };
}
