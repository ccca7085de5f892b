import type { Budget } from './budget.ts';
import { decompressEfi } from './efi-decompress.ts';
import { cString } from './file-text.ts';
import { type IpxeFacts, inspectIpxe } from './ipxe.ts';
import { attempt, MalformedFile, need, slice } from './malformed.ts';
import { efiSubsystems, inspectPe, type PeFacts, peMachines } from './pe.ts';

export const romSignature = 0xaa55;
export const efiSignature = 0x0ef1;
export const romUnitBytes = 512;
const maxImages = 64;

const codeTypes: ReadonlyMap<number, string> = new Map([
  [0, 'BIOS'],
  [1, 'Open Firmware'],
  [2, 'PA-RISC'],
  [3, 'EFI'],
]);

interface EfiRomFacts {
  readonly subsystem: number;
  readonly subsystemName: string;
  readonly machine: number;
  readonly machineName: string;
  readonly compressed: boolean;
  /** Bytes of the decompressed image. */
  readonly imageBytes: number;
  readonly pe: PeFacts | null;
  readonly problem: string | null;
}

interface BiosRomFacts {
  /** Bytes the system BIOS copies and checks, from the header's size field. */
  readonly initBytes: number;
  /** The first `initBytes` bytes add up to zero; SeaBIOS and others skip the ROM otherwise. */
  readonly checksumGood: boolean;
  /** Manufacturer and product of the PnP expansion header (PnP BIOS specification 1.0A §3.2). */
  readonly pnp: { readonly manufacturer: string; readonly product: string; readonly bootEntry: boolean } | null;
  /** A UNDI ROM ID structure is present (PXE 2.1 §3.2.1). */
  readonly undi: boolean;
}

export interface RomImage {
  readonly offset: number;
  readonly bytes: number;
  readonly codeType: number;
  readonly codeTypeName: string;
  readonly vendorId: number;
  readonly deviceId: number;
  /** Further device ids of the supported-device list (PCI Firmware 3.x §5.1.2.1). */
  readonly deviceIds: readonly number[];
  readonly pcirRevision: number;
  readonly classCode: number;
  readonly lastImage: boolean;
  readonly efi: EfiRomFacts | null;
  readonly bios: BiosRomFacts | null;
  readonly ipxe: IpxeFacts | null;
}

export interface OptionRomFacts {
  readonly images: readonly RomImage[];
  /** What keeps firmware from reading the ROM to its end. */
  readonly problems: readonly string[];
  /** Bytes after the last image, usually padding. */
  readonly trailingBytes: number;
}

export function isOptionRom(bytes: Buffer): boolean {
  if (bytes.length < 0x1c || bytes.readUInt16LE(0) !== romSignature) return false;
  const pcir = bytes.readUInt16LE(0x18);
  return pcir + 4 <= bytes.length && bytes.toString('latin1', pcir, pcir + 4) === 'PCIR';
}

function deviceList(image: Buffer, pcir: number, revision: number): number[] {
  // Before revision 3 the field pointed at vital product data.
  const pointer = image.readUInt16LE(pcir + 8);
  if (revision < 3 || pointer === 0) return [];
  const ids: number[] = [];
  for (let at = pcir + pointer; at + 2 <= image.length && ids.length < 512; at += 2) {
    const id = image.readUInt16LE(at);
    if (id === 0) return ids;
    ids.push(id);
  }
  return ids;
}

/**
 * The PE image inside an EFI ROM image, decompressed if necessary (UEFI specification §14.4.2, "EFI PCI Expansion ROM
 * Header"). Throws MalformedFile.
 */
export function efiRomPayload(image: Buffer, budget: Budget): Buffer {
  need(image, 0, 24, 'the EFI ROM header');
  const offset = image.readUInt16LE(22);
  const payload = slice(image, offset, image.length - offset, 'the EFI image');
  const compression = image.readUInt16LE(12);
  if (compression > 1) throw new MalformedFile(`unknown compression type ${compression}`);
  return compression === 1 ? decompressEfi(payload, 'uefi', budget) : payload;
}

function inspectEfi(image: Buffer, budget: Budget): { efi: EfiRomFacts; ipxe: IpxeFacts | null } {
  need(image, 0, 24, 'the EFI ROM header');
  const subsystem = image.readUInt16LE(8);
  const machine = image.readUInt16LE(10);
  const payload = attempt(() => efiRomPayload(image, budget));
  const pe = 'problem' in payload ? payload : attempt(() => inspectPe(payload));
  const efi = {
    subsystem,
    subsystemName: efiSubsystems.get(subsystem) ?? `subsystem ${subsystem}`,
    machine,
    machineName: peMachines.get(machine) ?? `0x${machine.toString(16)}`,
    compressed: image.readUInt16LE(12) === 1,
    imageBytes: 'problem' in payload ? 0 : payload.length,
    pe: 'problem' in pe ? null : pe,
    problem: 'problem' in pe ? pe.problem : null,
  };
  return { efi, ipxe: ('problem' in payload ? undefined : inspectIpxe(payload)) ?? null };
}

function inspectBios(image: Buffer): BiosRomFacts {
  const initBytes = (image[2] as number) * romUnitBytes;
  const covered = image.subarray(0, initBytes);
  const pnpAt = image.readUInt16LE(0x1a);
  const undiAt = image.readUInt16LE(0x16);
  const hasPnp = pnpAt + 0x20 <= image.length && image.toString('latin1', pnpAt, pnpAt + 4) === '$PnP';
  return {
    initBytes,
    checksumGood:
      covered.length === initBytes && initBytes > 0 && covered.reduce((sum, byte) => sum + byte, 0) % 256 === 0,
    pnp: hasPnp
      ? {
          manufacturer: cString(image, image.readUInt16LE(pnpAt + 0x0e)),
          product: cString(image, image.readUInt16LE(pnpAt + 0x10)),
          bootEntry: image.readUInt16LE(pnpAt + 0x1a) !== 0,
        }
      : null,
    undi: undiAt > 0 && undiAt + 4 <= image.length && image.toString('latin1', undiAt, undiAt + 4) === 'UNDI',
  };
}

/** Where the image at `offset` ends, and its PCI data structure; throws MalformedFile. */
export function romImageAt(bytes: Buffer, offset: number): { image: Buffer; pcir: number; lastImage: boolean } {
  need(bytes, offset, 0x1c, 'the ROM header');
  if (bytes.readUInt16LE(offset) !== romSignature) throw new MalformedFile('no ROM signature (55 aa)');
  const pcir = bytes.readUInt16LE(offset + 0x18);
  need(bytes, offset + pcir, 0x18, 'the PCI data structure');
  if (bytes.toString('latin1', offset + pcir, offset + pcir + 4) !== 'PCIR')
    throw new MalformedFile('no PCI data structure (PCIR)');
  const length = bytes.readUInt16LE(offset + pcir + 0x10) * romUnitBytes;
  if (length === 0) throw new MalformedFile('an image of length zero');
  if (pcir + 0x18 > length) {
    throw new MalformedFile(`the PCI data structure lies beyond the image: at ${pcir}, of ${length} bytes`);
  }
  return {
    image: slice(bytes, offset, length, 'the image'),
    pcir,
    lastImage: ((bytes[offset + pcir + 0x15] as number) & 0x80) !== 0,
  };
}

function inspectImage(bytes: Buffer, offset: number, budget: Budget): RomImage {
  budget.visit();
  const { image, pcir, lastImage } = romImageAt(bytes, offset);
  const codeType = image[pcir + 0x14] as number;
  const isEfi = codeType === 3 && image.readUInt32LE(4) === efiSignature;
  const { efi, ipxe } = isEfi ? inspectEfi(image, budget) : { efi: null, ipxe: inspectIpxe(image) ?? null };
  const revision = image[pcir + 0x0c] as number;
  return {
    offset,
    bytes: image.length,
    codeType,
    codeTypeName: codeTypes.get(codeType) ?? `code type ${codeType}`,
    vendorId: image.readUInt16LE(pcir + 4),
    deviceId: image.readUInt16LE(pcir + 6),
    deviceIds: deviceList(image, pcir, revision),
    pcirRevision: revision,
    classCode: image.readUIntLE(pcir + 0x0d, 3),
    lastImage,
    efi,
    bios: codeType === 0 ? inspectBios(image) : null,
    ipxe,
  };
}

/** Every image of a PCI expansion ROM (PCI Firmware specification 3.x §5.1). Never throws because of the file's contents. */
export function inspectOptionRom(bytes: Buffer, budget: Budget): OptionRomFacts {
  const images: RomImage[] = [];
  const problems: string[] = [];
  let offset = 0;
  for (;;) {
    const image = attempt(() => inspectImage(bytes, offset, budget));
    if ('problem' in image) {
      problems.push(`image ${images.length + 1} at ${offset}: ${image.problem}`);
      break;
    }
    images.push(image);
    offset += image.bytes;
    if (image.lastImage) break;
    if (images.length === maxImages) {
      problems.push(`more than ${maxImages} images`);
      break;
    }
  }
  return { images, problems, trailingBytes: Math.max(0, bytes.length - offset) };
}
