import type { Inspections } from '../inspections.ts';

export type EfiRomKind = 'full' | 'snp';

/** Whether the EFI image of a bundled ROM is a full iPXE or iPXE cut down to an SNP driver; neither: undefined. */
export async function efiRomKind(path: string, inspections: Pick<Inspections, 'of'>): Promise<EfiRomKind | undefined> {
  const rom = await inspections.of(path);
  if (rom.type !== 'option-rom') return undefined;
  const role = rom.images.find(({ efi }) => efi !== null)?.ipxe?.role;
  return role === undefined ? undefined : role === 'full' ? 'full' : 'snp';
}
