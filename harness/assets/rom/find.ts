import type { FoundRom, Missing, RomQuery } from '../sets/artefact-set.ts';
import { bundledRomNames } from '../sets/bundled-roms.ts';
import type { SetParts } from '../sets/set-parts.ts';
import { efiRomKind } from './bundled-kind.ts';
import { deriveRom, withIdsOfNic } from './derive.ts';

type BundledChoice = { readonly file: string; readonly byQemu?: boolean; readonly note?: string } | undefined;

/** Which bundled file provides a ROM kind. `efi-*.rom` is combined, so its EFI half decides. */
async function chooseBundled(parts: SetParts, { nic, kind, defaultRom, ...query }: RomQuery): Promise<BundledChoice> {
  const names = bundledRomNames(nic, defaultRom);
  if (names === undefined) return undefined;
  const { bundled, bundledByQemu } = parts.content;
  switch (kind) {
    case 'bundled':
      return { file: names.byDefault, byQemu: bundledByQemu };
    case 'bios':
      return { file: names.bios };
    case 'vendor-pxe':
      return { file: names.bios, note: "iPXE's BIOS ROM stands in for a vendor's, served as a plain PXE client" };
    case 'full':
    case 'snp': {
      // The BIOS half of every build is a full iPXE.
      if (query.interface === 'bios') return kind === 'full' ? { file: names.bios } : undefined;
      const path = bundled.get(names.combined);
      return path !== undefined && (await efiRomKind(path, parts.inspections)) === kind
        ? { file: names.combined }
        : undefined;
    }
    default:
      return undefined;
  }
}

export async function findRom(parts: SetParts, query: RomQuery): Promise<FoundRom | Missing> {
  const { name, content } = parts;
  const { nic, kind, arch } = query;
  const entry = content.roms.find((rom) => rom.nic === nic && rom.kind === kind && rom.arch === arch);
  if (entry !== undefined) {
    const { path } = entry;
    return { set: name, nic, kind, path, byQemu: false, package: content.packageOf(path), note: undefined };
  }
  // QEMU's own ROMs are x86: elsewhere only `bundled` puts them into the BAR.
  const chosen = arch === 'x86_64' || kind === 'bundled' ? await chooseBundled(parts, query) : undefined;
  const path = chosen && content.bundled.get(chosen.file);
  if (chosen !== undefined && path !== undefined) {
    const { byQemu = false, note } = chosen;
    return withIdsOfNic(parts, query, { set: name, nic, kind, path, byQemu, package: content.packageOf(path), note });
  }
  return deriveRom(parts, query);
}
