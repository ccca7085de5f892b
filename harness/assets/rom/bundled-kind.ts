import { readFile } from 'node:fs/promises';

export type EfiRomKind = 'full' | 'snp';

/** Whether the EFI image of a bundled ROM is a full iPXE or iPXE cut down to an SNP driver; neither: undefined. */
export async function efiRomKind(path: string): Promise<EfiRomKind | undefined> {
  const rom = await readFile(path);
  const efi = rom.indexOf(Buffer.from([0xf1, 0x0e, 0, 0]));
  if (efi < 4) return undefined;
  return rom.readUInt16LE(efi + 8) === 0 ? 'full' : 'snp';
}
