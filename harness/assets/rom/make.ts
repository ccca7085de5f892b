import { HarnessError } from '../../model/errors.ts';
import { attempt } from '../inspect/malformed.ts';
import { efiSignature, romImageAt, romSignature, romUnitBytes } from '../inspect/option-rom.ts';
import { inspectPe } from '../inspect/pe.ts';
import type { PciId } from './pci-ids.ts';

export type RomPart =
  /** An EFI PE image; `subsystem` overrides the one in the ROM header, for an image that firmware must not start. */
  | { readonly kind: 'efi'; readonly pe: Buffer; readonly subsystem?: number | undefined }
  /** A BIOS image with its own PCI data structure, such as a `pxe-*.rom`; its ids are patched. */
  | { readonly kind: 'bios'; readonly image: Buffer };

export interface RomRecipe {
  /** In ROM order; by convention a BIOS image comes first, because SeaBIOS only looks at the first. */
  readonly images: readonly RomPart[];
  /** Both absent: those of the first BIOS image. */
  readonly vendorId?: number | undefined;
  readonly deviceId?: number | undefined;
  /** Base class, subclass, interface; Ethernet controller by default. */
  readonly classCode?: number | undefined;
}

const ethernetClass = 0x020000;
/** UEFI's PCI bus driver starts boot service (11) and runtime drivers (12) and skips applications (10). */
const bootServiceDriver = 11;
const runtimeDriver = 12;
const efiHeaderBytes = 0x1c;
const pcirBytes = 0x18;
/** Where the PE image starts, aligned for its loader. */
const payloadOffset = 0x40;
const lastImageFlag = 0x80;
/** Image length is a 16-bit count of 512-byte units. */
const maxImageBytes = 0xffff * romUnitBytes;

function refuse(what: string, hint: string): HarnessError {
  return new HarnessError('bad-file', `cannot make an option ROM: ${what}`, { hint });
}

function checkId(name: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw refuse(
      `${name} ${value} is not between 0 and 0x${max.toString(16)}`,
      'Give ids and subsystem as 16-bit and the class as 24-bit numbers.',
    );
  }
}

const padded = (bytes: number) => Math.ceil(bytes / romUnitBytes) * romUnitBytes;

/** UEFI specification §14.4.2 (EFI header) and PCI Firmware specification 3.x §5.1.2 (PCI data structure). */
function efiImage(pe: Buffer, subsystem: number | undefined, index: number): Buffer {
  const facts = attempt(() => inspectPe(pe));
  if ('problem' in facts)
    throw refuse(`image ${index + 1}: ${facts.problem}`, 'Give an EFI PE image, or a BIOS ROM as a BIOS image.');
  const bytes = padded(payloadOffset + pe.length);
  if (bytes > maxImageBytes)
    throw refuse(`image ${index + 1} has ${pe.length} bytes`, `An image holds at most ${maxImageBytes} bytes.`);
  const image = Buffer.alloc(bytes);
  image.writeUInt16LE(romSignature, 0);
  // For EFI the initialisation size covers the whole image; its 16 bits are wide enough.
  image.writeUInt16LE(bytes / romUnitBytes, 2);
  image.writeUInt32LE(efiSignature, 4);
  image.writeUInt16LE(subsystem ?? (facts.subsystem === runtimeDriver ? runtimeDriver : bootServiceDriver), 8);
  image.writeUInt16LE(facts.machine, 10);
  image.writeUInt16LE(0, 12);
  image.writeUInt16LE(payloadOffset, 22);
  image.writeUInt16LE(efiHeaderBytes, 0x18);
  image.write('PCIR', efiHeaderBytes, 'latin1');
  image.writeUInt16LE(pcirBytes, efiHeaderBytes + 0x0a);
  image.writeUInt16LE(bytes / romUnitBytes, efiHeaderBytes + 0x10);
  image[efiHeaderBytes + 0x14] = 3;
  pe.copy(image, payloadOffset);
  return image;
}

/** The first image only: what follows in a combined ROM is not for BIOS. */
function biosImage(rom: Buffer, index: number): Buffer {
  const found = attempt(() => romImageAt(rom, 0));
  if ('problem' in found)
    throw refuse(`image ${index + 1}: ${found.problem}`, 'Give a PCI option ROM as the BIOS image.');
  const { image, pcir } = found;
  if (image[pcir + 0x14] !== 0)
    throw refuse(`image ${index + 1} is not a BIOS image`, 'Give an EFI PE image as an EFI image.');
  return Buffer.from(image);
}

function patch(image: Buffer, { vendorId, deviceId }: PciId, classCode: number, last: boolean): void {
  const pcir = image.readUInt16LE(0x18);
  image.writeUInt16LE(vendorId, pcir + 4);
  image.writeUInt16LE(deviceId, pcir + 6);
  // A revision 3 structure may list further ids, which no longer apply.
  if ((image[pcir + 0x0c] as number) >= 3) image.writeUInt16LE(0, pcir + 8);
  image.writeUIntLE(classCode, pcir + 0x0d, 3);
  image[pcir + 0x15] = ((image[pcir + 0x15] as number) & ~lastImageFlag) | (last ? lastImageFlag : 0);
}

/** The bytes that BIOS checks must add up to zero; byte 6 is iPXE's spare for it, which QEMU uses when patching ids. */
function fixChecksum(image: Buffer): void {
  const covered = image.subarray(0, (image[2] as number) * romUnitBytes);
  const sum = covered.reduce((total, byte) => total + byte, 0);
  image[6] = ((image[6] as number) - sum) & 0xff;
}

/**
 * A copy with these ids in its first image and the checksum fixed, as QEMU does for a ROM that it chose itself: SeaBIOS
 * skips a ROM with another device's ids. The ROM itself where the ids already match or the first image is not for BIOS.
 */
export function withPciIds(rom: Buffer, { vendorId, deviceId }: PciId): Buffer {
  const found = attempt(() => romImageAt(rom, 0));
  if ('problem' in found || found.image[found.pcir + 0x14] !== 0) return rom;
  const { pcir } = found;
  if (rom.readUInt16LE(pcir + 4) === vendorId && rom.readUInt16LE(pcir + 6) === deviceId) return rom;
  const copy = Buffer.from(rom);
  copy.writeUInt16LE(vendorId, pcir + 4);
  copy.writeUInt16LE(deviceId, pcir + 6);
  fixChecksum(copy);
  return copy;
}

function idsOfBios(images: readonly RomPart[]): PciId {
  const index = images.findIndex(({ kind }) => kind === 'bios');
  const part = images[index];
  if (part?.kind !== 'bios')
    throw refuse('no PCI ids were given', 'EFI images carry none: name the NIC that it is for.');
  const image = biosImage(part.image, index);
  const pcir = image.readUInt16LE(0x18);
  return { vendorId: image.readUInt16LE(pcir + 4), deviceId: image.readUInt16LE(pcir + 6) };
}

/**
 * A PCI option ROM from the given images, uncompressed. Throws HarnessError `bad-file` for input that no ROM can be made
 * from.
 */
export function makeOptionRom(recipe: RomRecipe): Buffer {
  const { classCode = ethernetClass } = recipe;
  if (recipe.images.length === 0) throw refuse('no image was given', 'Give at least one EFI or BIOS image.');
  const { vendorId, deviceId } = recipe;
  const ids = vendorId === undefined || deviceId === undefined ? idsOfBios(recipe.images) : { vendorId, deviceId };
  checkId('vendor id', ids.vendorId, 0xffff);
  checkId('device id', ids.deviceId, 0xffff);
  checkId('class code', classCode, 0xffffff);
  const images = recipe.images.map((part, index) => {
    if (part.kind === 'efi' && part.subsystem !== undefined) checkId('subsystem', part.subsystem, 0xffff);
    const image = part.kind === 'efi' ? efiImage(part.pe, part.subsystem, index) : biosImage(part.image, index);
    patch(image, ids, classCode, index === recipe.images.length - 1);
    if (part.kind === 'bios') fixChecksum(image);
    return image;
  });
  return Buffer.concat(images);
}
