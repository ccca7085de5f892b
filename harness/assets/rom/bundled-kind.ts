import { readFile } from 'node:fs/promises';
import { createBudget } from '../inspect/budget.ts';
import { inspectOptionRom } from '../inspect/option-rom.ts';

export type EfiRomKind = 'full' | 'snp';

/** Whether the EFI image of a bundled ROM is a full iPXE or iPXE cut down to an SNP driver; neither: undefined. */
export async function efiRomKind(path: string): Promise<EfiRomKind | undefined> {
  const { images } = inspectOptionRom(await readFile(path), createBudget());
  const role = images.find(({ efi }) => efi !== null)?.ipxe?.role;
  return role === undefined ? undefined : role === 'full' ? 'full' : 'snp';
}
