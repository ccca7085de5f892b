import { readFile } from 'node:fs/promises';
import { extractDriver } from '../derive/extract-drivers.ts';
import { createBudget } from '../inspect/budget.ts';
import { MalformedFile } from '../inspect/malformed.ts';
import { efiRomPayload, inspectOptionRom } from '../inspect/option-rom.ts';
import { makeOptionRom, type RomPart } from './make.ts';
import type { PciId } from './pci-ids.ts';

/** One input of a generated ROM: its path, and which part of it is used. */
export type RomSource =
  | { readonly as: 'bios' | 'efi' | 'efi-half'; readonly path: string }
  /** Extracted from a firmware image. */
  | { readonly as: 'driver'; readonly path: string; readonly driverName: string };

/** The EFI half of a combined ROM, decompressed. */
function efiHalf(rom: Buffer, path: string): Buffer {
  const efi = inspectOptionRom(rom, createBudget()).images.find((image) => image.efi !== null);
  if (efi === undefined) throw new MalformedFile(`${path} has no EFI image`);
  return efiRomPayload(rom.subarray(efi.offset, efi.offset + efi.bytes), createBudget());
}

async function partOf(source: RomSource): Promise<RomPart> {
  const bytes = await readFile(source.path);
  switch (source.as) {
    case 'bios':
      return { kind: 'bios', image: bytes };
    case 'efi':
      return { kind: 'efi', pe: bytes };
    case 'efi-half':
      return { kind: 'efi', pe: efiHalf(bytes, source.path) };
    case 'driver':
      return { kind: 'efi', pe: extractDriver(bytes, source.driverName) };
  }
}

/** Reads the sources of a ROM and assembles it. Throws MalformedFile or HarnessError `bad-file` where that is impossible. */
export async function assembleRom(sources: readonly RomSource[], ids: PciId): Promise<Buffer> {
  return makeOptionRom({ images: await Promise.all(sources.map(partOf)), ...ids });
}
