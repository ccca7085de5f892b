import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Arch, RomKind } from '../../model/axes.ts';
import { HarnessError } from '../../model/errors.ts';
import { makeOnce } from '../derive/made-once.ts';
import { MalformedFile } from '../inspect/malformed.ts';
import { drivesNic } from '../inspect/network-drivers.ts';
import type { FoundRom, Missing, RomQuery } from '../sets/artefact-set.ts';
import { bundledRomNames } from '../sets/bundled-roms.ts';
import type { SetParts } from '../sets/set-parts.ts';
import type { RomSource } from './assemble.ts';
import { type PciId, pciIdOf } from './pci-ids.ts';

interface Recipe {
  readonly note: string;
  readonly sources: readonly RomSource[];
}

const driverName = 'VirtioNetDxe';

function firmwareFor({ content }: SetParts, arch: Arch): string | undefined {
  return content.firmware.find((entry) => entry.arch === arch && entry.secureBoot === 'off' && entry.vars !== undefined)
    ?.code;
}

type Derivation = (parts: SetParts, query: RomQuery) => Recipe | undefined;

/** Kinds that no package ships, and how they are made from what there is. */
const derivations: Partial<Record<RomKind, Derivation>> = {
  'vendor-snp': (parts, { nic, arch }) => {
    const firmware = firmwareFor(parts, arch);
    if (firmware === undefined || !drivesNic({ guid: '', name: driverName }, nic)) return undefined;
    return {
      note: `${driverName} extracted from the firmware stands in for a vendor's driver`,
      sources: [{ as: 'driver', path: firmware, driverName }],
    };
  },
  app: ({ content }, { arch }) => {
    const ipxe = content.nbps.find((nbp) => nbp.secondStage === 'ipxe' && nbp.arch === arch && !nbp.bios);
    return ipxe && { note: 'the iPXE application wrapped as a ROM', sources: [{ as: 'efi', path: ipxe.path }] };
  },
  combined: (parts, { nic, arch, defaultRom }) => {
    const names = bundledRomNames(nic, defaultRom);
    if (arch !== 'x86_64' || names === undefined) return undefined;
    const bios = parts.content.bundled.get(names.bios);
    const efi = parts.content.bundled.get(names.combined);
    if (bios === undefined || efi === undefined) return undefined;
    return {
      note: "made from the BIOS ROM and the EFI half, with this NIC's ids",
      sources: [
        { as: 'bios', path: bios },
        { as: 'efi-half', path: efi },
      ],
    };
  },
  foreign: (parts, { arch }) => {
    const other = firmwareFor(parts, arch === 'x86_64' ? 'aarch64' : 'x86_64');
    if (other === undefined) return undefined;
    return { note: 'a driver for another machine type', sources: [{ as: 'driver', path: other, driverName }] };
  },
};

const keep = (cacheDir: string, name: string, make: () => Promise<Buffer>): Promise<string> =>
  makeOnce(join(cacheDir, 'roms', `${name}.rom`), make);

async function keyOf(paths: readonly string[], ids: PciId): Promise<string> {
  const stats = await Promise.all(paths.map((path) => stat(path)));
  const facts = stats.map(({ size, mtimeMs }, i) => [paths[i], size, mtimeMs]);
  return createHash('sha256')
    .update(JSON.stringify([1, ids, facts]))
    .digest('hex')
    .slice(0, 16);
}

const missingRom = ({ name }: SetParts, { nic, kind, arch }: RomQuery): string =>
  `no such ROM (${kind}, ${nic}${arch === 'x86_64' ? '' : `, ${arch}`}) in set ${name}`;

/** Makes the ROM in the cache folder, once per set of inputs. */
export async function deriveRom(parts: SetParts, query: RomQuery): Promise<FoundRom | Missing> {
  const { name, content, cacheDir } = parts;
  const { nic, kind, arch } = query;
  const missing = missingRom(parts, query);
  const recipe = derivations[kind]?.(parts, query);
  const ids = pciIdOf(nic);
  const [first] = recipe?.sources ?? [];
  if (recipe === undefined || first === undefined || ids === undefined) return { missing };
  if (cacheDir === undefined) return { missing: `${missing}, and without a cache folder it cannot be made` };
  try {
    const key = await keyOf(
      recipe.sources.map((source) => source.path),
      ids,
    );
    const path = await keep(cacheDir, `${kind}-${nic}-${arch}-${key}`, async () => {
      // Loaded lazily: a ROM is made once.
      const { assembleRom } = await import('./assemble.ts');
      return assembleRom(recipe.sources, ids);
    });
    return { set: name, nic, kind, path, byQemu: false, package: content.packageOf(first.path), note: recipe.note };
  } catch (error) {
    const unusable = error instanceof MalformedFile || (error instanceof HarnessError && error.code === 'bad-file');
    if (unusable) return { missing: `${missing}: ${error.message}` };
    throw error;
  }
}

/** The ROM with this NIC's ids in its first image, where that is for BIOS, has other ids, and the firmware compares them. */
export async function withIdsOfNic(
  { cacheDir, inspections }: SetParts,
  query: RomQuery,
  rom: FoundRom,
): Promise<FoundRom> {
  const ids = pciIdOf(query.nic);
  if (query.interface !== 'bios' || rom.byQemu || ids === undefined || cacheDir === undefined) return rom;
  const looked = await inspections.of(rom.path);
  const [first] = looked.type === 'option-rom' ? looked.images : [];
  const fits = first?.vendorId === ids.vendorId && first.deviceId === ids.deviceId;
  if (first?.codeType !== 0 || fits) return rom;
  const key = await keyOf([rom.path], ids);
  const path = await keep(cacheDir, `${query.kind}-${query.nic}-ids-${key}`, async () => {
    const { withPciIds } = await import('./make.ts');
    return withPciIds(await readFile(rom.path), ids);
  });
  return {
    ...rom,
    path,
    note: [rom.note, "with this NIC's ids, as QEMU patches its own choice"].filter(Boolean).join('; '),
  };
}
