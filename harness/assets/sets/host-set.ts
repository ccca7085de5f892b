import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonCache } from '../../os/json-cache.ts';
import { findHostKernels, findHostNbps, findHostSeabios, listRoms, romFolders } from './host-files.ts';
import { findHostFirmware } from './host-firmware.ts';
import { type Ownership, type PackageIdentity, packagesOf } from './packages.ts';
import type { SetContent } from './set-content.ts';

export interface HostRoot {
  readonly env: NodeJS.ProcessEnv;
  /** Prepended to every absolute path: an unpacked system other than the running one. */
  readonly root: string;
}

/** The distribution's code name (os-release(5)), such as `bookworm`. */
export async function hostCodename({ root }: HostRoot): Promise<string | undefined> {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    const text = await readFile(join(root, path), 'utf8').catch(() => '');
    const found = /^VERSION_CODENAME="?([A-Za-z0-9._-]+)"?$/m.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What this machine's packages offer; an empty set if there is nothing, never an error. */
export async function findHostContent({ env, root }: HostRoot, owners: JsonCache<Ownership>): Promise<SetContent> {
  const [firmware, nbps, kernels, builtInSeabios] = await Promise.all([
    findHostFirmware(env, root),
    findHostNbps(root),
    findHostKernels(root),
    findHostSeabios(root),
  ]);
  const bundled = new Map<string, string>();
  for (const folder of romFolders) {
    for (const name of await listRoms(join(root, folder))) {
      if (!bundled.has(name)) bundled.set(name, join(root, folder, name));
    }
  }
  const paths = [
    ...firmware.map(({ code }) => code),
    ...bundled.values(),
    ...nbps.map(({ path }) => path),
    ...kernels.map(({ kernel }) => kernel),
    ...(builtInSeabios === undefined ? [] : [builtInSeabios]),
  ];
  const packageOf = root === '' ? await packagesOf(paths, owners) : new Map<string, PackageIdentity>();
  await owners.save();
  const packages = new Map([...packageOf.values()].map((identity) => [identity.name, identity]));
  return {
    packages: [...packages.values()],
    firmware,
    roms: [],
    nbps,
    kernels,
    bundled,
    bundledByQemu: true,
    packageOf: (path) => packageOf.get(path),
  };
}
