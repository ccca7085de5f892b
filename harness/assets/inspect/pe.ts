import { type PeSignature, readSignatures } from './authenticode.ts';
import { asciiText } from './file-text.ts';
import { MalformedFile, need, slice } from './malformed.ts';

/** PE/COFF machine types by number (PE/COFF specification, "Machine Types"; UEFI specification §2.1.1). */
export const peMachines: ReadonlyMap<number, string> = new Map([
  [0x014c, 'IA32'],
  [0x0200, 'IA64'],
  [0x0ebc, 'EBC'],
  [0x01c2, 'ARM'],
  [0x5032, 'RISCV32'],
  [0x5064, 'RISCV64'],
  [0x5128, 'RISCV128'],
  [0x6232, 'LOONGARCH32'],
  [0x6264, 'LOONGARCH64'],
  [0x8664, 'X64'],
  [0xaa64, 'AA64'],
]);

/** Subsystems of EFI images (UEFI specification §2.1.1). */
export const efiSubsystems: ReadonlyMap<number, string> = new Map([
  [10, 'application'],
  [11, 'boot service driver'],
  [12, 'runtime driver'],
  [13, 'ROM'],
]);

interface PeSection {
  readonly name: string;
  readonly virtualAddress: number;
  readonly virtualBytes: number;
  readonly rawOffset: number;
  readonly rawBytes: number;
}

interface SbatEntry {
  readonly component: string;
  readonly generation: string;
  readonly vendor: string;
  readonly version: string;
}

export interface PeFacts {
  readonly machine: number;
  readonly machineName: string;
  readonly subsystem: number;
  readonly subsystemName: string;
  readonly is64: boolean;
  readonly imageBytes: number;
  readonly entryPoint: number;
  readonly sections: readonly PeSection[];
  readonly signatures: readonly PeSignature[];
  /** SBAT generations (shim, SBAT.md), including the first line, the format's own. */
  readonly sbat: readonly SbatEntry[];
}

interface PeLayout {
  readonly coff: number;
  readonly optional: number;
  readonly optionalBytes: number;
  readonly sectionTable: number;
  readonly sectionCount: number;
  readonly is64: boolean;
}

const maxSections = 96;

export function isPe(bytes: Buffer): boolean {
  if (bytes.length < 0x40 || bytes.toString('latin1', 0, 2) !== 'MZ') return false;
  const pe = bytes.readUInt32LE(0x3c);
  return pe + 4 <= bytes.length && bytes.readUInt32LE(pe) === 0x00004550;
}

/** Locates the headers; throws MalformedFile. */
export function peLayout(bytes: Buffer): PeLayout {
  if (!isPe(bytes)) throw new MalformedFile('not a PE image');
  const coff = bytes.readUInt32LE(0x3c) + 4;
  need(bytes, coff, 20, 'the COFF header');
  const sectionCount = bytes.readUInt16LE(coff + 2);
  const optionalBytes = bytes.readUInt16LE(coff + 16);
  const optional = coff + 20;
  need(bytes, optional, Math.max(optionalBytes, 72), 'the optional header');
  const magic = bytes.readUInt16LE(optional);
  if (magic !== 0x10b && magic !== 0x20b)
    throw new MalformedFile(`a PE image of unknown magic 0x${magic.toString(16)}`);
  if (sectionCount > maxSections) throw new MalformedFile(`a PE image with ${sectionCount} sections`);
  const sectionTable = optional + optionalBytes;
  need(bytes, sectionTable, sectionCount * 40, 'the section table');
  return { coff, optional, optionalBytes, sectionTable, sectionCount, is64: magic === 0x20b };
}

export function readSections(bytes: Buffer, { sectionTable, sectionCount }: PeLayout): PeSection[] {
  return Array.from({ length: sectionCount }, (_, i) => {
    const at = sectionTable + i * 40;
    return {
      name: asciiText(bytes.toString('latin1', at, at + 8).replace(/\0.*$/s, '')),
      virtualBytes: bytes.readUInt32LE(at + 8),
      virtualAddress: bytes.readUInt32LE(at + 12),
      rawBytes: bytes.readUInt32LE(at + 16),
      rawOffset: bytes.readUInt32LE(at + 20),
    };
  });
}

/** Data directory `index`: its address and length; undefined where the header ends before it. */
function dataDirectory(bytes: Buffer, { optional, optionalBytes, is64 }: PeLayout, index: number): [number, number] {
  const countAt = is64 ? 108 : 92;
  if (optionalBytes < countAt + 4 + (index + 1) * 8) return [0, 0];
  if (bytes.readUInt32LE(optional + countAt) <= index) return [0, 0];
  const at = optional + countAt + 4 + index * 8;
  return [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
}

function readSbat(bytes: Buffer, sections: readonly PeSection[]): SbatEntry[] {
  const section = sections.find(({ name }) => name === '.sbat');
  if (section === undefined) return [];
  const length = Math.min(section.rawBytes, section.virtualBytes || section.rawBytes, 4096);
  const text = bytes.toString('latin1', section.rawOffset, section.rawOffset + length).replace(/\0.*$/s, '');
  return text
    .split('\n')
    .filter((line) => line.includes(','))
    .slice(0, 32)
    .map((line) => {
      const [component = '', generation = '', vendor = '', , version = ''] = line
        .split(',')
        .map((part) => asciiText(part));
      return { component, generation, vendor, version };
    });
}

/** Throws MalformedFile. */
export function inspectPe(bytes: Buffer): PeFacts {
  const layout = peLayout(bytes);
  const { coff, optional, is64 } = layout;
  const machine = bytes.readUInt16LE(coff);
  const subsystem = bytes.readUInt16LE(optional + 68);
  const sections = readSections(bytes, layout);
  const [certificatesAt, certificatesBytes] = dataDirectory(bytes, layout, 4);
  const inFile = certificatesBytes > 0 && certificatesAt + certificatesBytes <= bytes.length;
  return {
    machine,
    machineName: peMachines.get(machine) ?? `0x${machine.toString(16)}`,
    subsystem,
    subsystemName: efiSubsystems.get(subsystem) ?? `subsystem ${subsystem}`,
    is64,
    imageBytes: bytes.readUInt32LE(optional + 56),
    entryPoint: bytes.readUInt32LE(optional + 16),
    sections,
    signatures: inFile ? readSignatures(slice(bytes, certificatesAt, certificatesBytes, 'the signatures')) : [],
    sbat: readSbat(bytes, sections),
  };
}
