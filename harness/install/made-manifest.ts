import { existsSync, readdirSync } from 'node:fs';
import { type FirmwareRow, type KernelRow, manifestRows, type NbpRow, type SetRecipe } from './set-recipes.ts';

/** A package as recorded in a set; without a hash it is the machine's own. */
export interface SetPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256?: string;
}

export interface MadeSet {
  readonly recipe: SetRecipe;
  /** What was unpacked is below its `root/`. */
  readonly folder: string;
  readonly packages: readonly SetPackage[];
  /** Packages that differ from the recorded ones. */
  readonly drift: readonly string[];
}

const pathFields = ['code', 'vars', 'path', 'kernel', 'initrd'] as const;
type AnyRow = FirmwareRow | NbpRow | KernelRow;

/**
 * A set's set.json, as read by harness/assets: rows of the table whose files the set has, with paths relative to the
 * manifest, or absolute for files of the machine's own packages.
 */
export function manifestFor({ recipe, folder, packages, drift }: MadeSet): object {
  const usesMachine = packages.some(({ sha256 }) => sha256 === undefined);
  const locate = (path: string): string | undefined => {
    if (existsSync(`${folder}/root/${path}`)) return `root/${path}`;
    return usesMachine && existsSync(`/${path}`) ? `/${path}` : undefined;
  };
  const place = ({ packages: candidates, ...row }: AnyRow): object[] => {
    const own = candidates.find((name) => packages.some((found) => found.name === name));
    const fields = pathFields.flatMap((field) => {
      const path = (row as Partial<Record<string, string>>)[field];
      return path === undefined ? [] : [[field, locate(path)] as const];
    });
    const companions = 'companions' in row && row.companions !== undefined ? Object.entries(row.companions) : [];
    const placedCompanions = companions.map(([name, path]) => [name, locate(path)] as const);
    if (own === undefined || [...fields, ...placedCompanions].some(([, path]) => path === undefined)) return [];
    const placed = { ...row, package: own, ...Object.fromEntries(fields) };
    return [placedCompanions.length === 0 ? placed : { ...placed, companions: Object.fromEntries(placedCompanions) }];
  };
  const hasRoms = (path: string) =>
    readdirSync(path.startsWith('/') ? path : `${folder}/${path}`).some((name) => name.endsWith('.rom'));
  const roms = manifestRows.bundledRoms.flatMap((path) => locate(path) ?? []).find(hasRoms);
  const moved = drift.length === 0 ? '' : `; changed since it was recorded: ${drift.join(', ')}`;
  return {
    name: recipe.name,
    description: `Debian ${recipe.name}${moved}`,
    packages,
    firmware: manifestRows.firmware.flatMap(place),
    nbps: manifestRows.nbps.flatMap(place),
    kernels: manifestRows.kernels.flatMap(place),
    ...(roms === undefined ? {} : { bundledRoms: roms, bundledRomsPackage: 'ipxe-qemu' }),
  };
}
