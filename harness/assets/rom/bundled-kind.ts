import type { Inspections } from '../inspections.ts';

export type EfiRomKind = 'full' | 'snp';

/** Whether the EFI image of a bundled ROM is a full iPXE or only iPXE's SNP driver; undefined if neither. */
export async function efiRomKind(path: string, inspections: Pick<Inspections, 'of'>): Promise<EfiRomKind | undefined> {
  const rom = await inspections.of(path);
  if (rom.type !== 'option-rom') return undefined;
  const role = rom.images.find(({ efi }) => efi !== null)?.ipxe?.role;
  return role === undefined ? undefined : role === 'full' ? 'full' : 'snp';
}
