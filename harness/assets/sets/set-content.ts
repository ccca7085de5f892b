import { join } from 'node:path';
import { listRoms, romFolders } from './host-files.ts';
import type { PackageIdentity } from './packages.ts';
import type { Manifest } from './set-manifest.ts';

/** The content of a set, wherever it was found; all paths are absolute. */
export interface SetContent {
  readonly packages: readonly PackageIdentity[];
  readonly firmware: Manifest['firmware'];
  readonly roms: Manifest['roms'];
  readonly nbps: Manifest['nbps'];
  readonly kernels: Manifest['kernels'];
  /** QEMU's name of a ROM file → path. */
  readonly bundled: ReadonlyMap<string, string>;
  /** `bundled` is where QEMU looks by default. */
  readonly bundledByQemu: boolean;
  packageOf(path: string): PackageIdentity | undefined;
}

export async function contentOfManifest(manifest: Manifest): Promise<SetContent> {
  const { packages, firmware, roms, nbps, kernels, bundledRoms, bundledRomsPackage } = manifest;
  const names = bundledRoms === undefined ? [] : await listRoms(bundledRoms);
  const owners = new Map<string, string | undefined>([
    ...firmware.map((entry) => [entry.code, entry.package] as const),
    ...roms.map((entry) => [entry.path, entry.package] as const),
    ...nbps.map((entry) => [entry.path, entry.package] as const),
    ...kernels.map((entry) => [entry.kernel, entry.package] as const),
    ...names.map((name) => [join(bundledRoms as string, name), bundledRomsPackage] as const),
  ]);
  return {
    packages,
    firmware,
    roms,
    nbps,
    kernels,
    bundled: new Map(names.map((name) => [name, join(bundledRoms as string, name)])),
    // A manifest may name this machine's folder, where QEMU looks by default.
    bundledByQemu: romFolders.some((folder) => folder === bundledRoms),
    packageOf: (path) => packages.find(({ name }) => name === owners.get(path)),
  };
}

/** `first` precedes `second` in every list; ROM files of `first` hide those of `second` with the same name. */
export function joinContents(first: SetContent, second: SetContent): SetContent {
  return {
    packages: [...first.packages, ...second.packages.filter((a) => !first.packages.some((b) => a.name === b.name))],
    firmware: [...first.firmware, ...second.firmware],
    roms: [...first.roms, ...second.roms],
    nbps: [...first.nbps, ...second.nbps],
    kernels: [...first.kernels, ...second.kernels],
    bundled: new Map([...second.bundled, ...first.bundled]),
    bundledByQemu: first.bundled.size > 0 ? first.bundledByQemu : second.bundledByQemu,
    packageOf: (path) => first.packageOf(path) ?? second.packageOf(path),
  };
}

/** Every file of a set, companions and variable stores included. */
export const filesOf = ({ firmware, roms, nbps, kernels, bundled }: SetContent): string[] => [
  ...firmware.flatMap(({ code, vars }) => [code, ...(vars === undefined ? [] : [vars])]),
  ...roms.map(({ path }) => path),
  ...nbps.flatMap(({ path, companions }) => [path, ...Object.values(companions)]),
  ...kernels.flatMap(({ kernel, initrd }) => [kernel, ...(initrd === undefined ? [] : [initrd])]),
  ...bundled.values(),
];
