import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { type Arch, archs } from '../model/axes.ts';
import { HarnessError } from '../model/errors.ts';
import { qemuProgramOf } from '../model/qemu-program.ts';
import { fileIdentity } from '../os/file-identity.ts';
import { openJsonCache } from '../os/json-cache.ts';

/** The program that a shell would start, in the state that it is in; undefined where there is none. */
function identityOfProgram(program: string): string | undefined {
  const { PATH: path = '' } = process.env;
  for (const folder of path.split(delimiter)) {
    try {
      return fileIdentity(join(folder, program));
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** What QEMU lists; undefined where it does not answer. */
async function askNics(program: string): Promise<readonly string[] | undefined> {
  // Loaded here: mostly nothing needs to be asked.
  const { probeQemu } = await import('./host.ts');
  try {
    return (await probeQemu({ program, env: {} })).nics;
  } catch (error) {
    if (error instanceof HarnessError) return undefined;
    throw error;
  }
}

/**
 * The NICs each architecture's QEMU lists; none where there is no such QEMU. They are compiled into it, so that
 * `cacheFile` keeps them for as long as the program is the same one.
 */
export async function offeredNics(cacheFile: string | undefined): Promise<Record<Arch, readonly string[]>> {
  const cache = openJsonCache({ file: cacheFile, version: 1, schema: z.array(z.string()).readonly() });
  const nicsOf = async (arch: Arch): Promise<readonly string[]> => {
    const program = qemuProgramOf(arch);
    const identity = identityOfProgram(program);
    if (identity === undefined) return [];
    const known = cache.get(identity);
    if (known !== undefined) return known;
    const nics = await askNics(program);
    if (nics !== undefined) cache.set(identity, nics);
    return nics ?? [];
  };
  const nics = await Promise.all(archs.map(async (arch) => [arch, await nicsOf(arch)] as const));
  await cache.save();
  return Object.fromEntries(nics) as Record<Arch, readonly string[]>;
}
