import { z } from 'zod';
import { type Arch, archs } from '../model/axes.ts';
import { HarnessError } from '../model/errors.ts';
import { qemuProgramOf } from '../model/qemu-program.ts';
import { programIdentity } from '../os/find-program.ts';
import { openJsonCache } from '../os/json-cache.ts';
import type { QemuProgram } from './host.ts';

/** What QEMU lists; undefined if it does not answer. */
async function askNics(qemu: QemuProgram): Promise<readonly string[] | undefined> {
  // Loaded on demand: usually the cache has the answer.
  const { probeQemu } = await import('./host.ts');
  try {
    return (await probeQemu(qemu)).nics;
  } catch (error) {
    if (error instanceof HarnessError) return undefined;
    throw error;
  }
}

export interface OfferedNics {
  /** The NICs that a QEMU lists; undefined if there is no such program or it does not answer. */
  of(qemu: QemuProgram): Promise<readonly string[] | undefined>;
  /** The NICs of each architecture's QEMU; empty if there is none. */
  byArch(): Promise<Record<Arch, readonly string[]>>;
  save(): Promise<void>;
}

/** NICs are compiled into QEMU, so `cacheFile` keeps them until the binary changes. */
export function openOfferedNics(cacheFile: string | undefined): OfferedNics {
  const cache = openJsonCache({ file: cacheFile, version: 1, schema: z.array(z.string()).readonly() });
  const of = async (qemu: QemuProgram): Promise<readonly string[] | undefined> => {
    const identity = programIdentity(qemu.program);
    if (identity === undefined) return undefined;
    const nics = cache.get(identity) ?? (await askNics(qemu));
    if (nics !== undefined) cache.set(identity, nics);
    return nics;
  };
  return {
    of,
    save: cache.save,
    async byArch() {
      const nicsOf = async (arch: Arch) => (await of({ program: qemuProgramOf(arch), env: {} })) ?? [];
      const nics = await Promise.all(archs.map(async (arch) => [arch, await nicsOf(arch)] as const));
      await cache.save();
      return Object.fromEntries(nics) as Record<Arch, readonly string[]>;
    },
  };
}
