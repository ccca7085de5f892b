import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { fileIdentity } from '../assets/file-identity.ts';
import { type Arch, archs } from '../model/axes.ts';
import { qemuProgramOf } from '../model/qemu-program.ts';
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

/**
 * The NICs each architecture's QEMU lists; none where there is no such QEMU. They are compiled into it, so that
 * `cacheFile` keeps them for as long as the program is the same one.
 */
export async function offeredNics(cacheFile: string | undefined): Promise<Record<Arch, readonly string[]>> {
  const cache = openJsonCache({ file: cacheFile, version: 1, schema: z.array(z.string()).readonly() });
  const nicsOf = async (arch: Arch): Promise<readonly string[]> => {
    const identity = identityOfProgram(qemuProgramOf(arch));
    if (identity === undefined) return [];
    const known = cache.get(identity);
    if (known !== undefined) return known;
    // Loaded here: mostly nothing needs to be asked.
    const { examineHost } = await import('./examine-host.ts');
    const [facts] = (await examineHost([{ program: qemuProgramOf(arch), env: {} }])).programs.map(
      (program) => program.facts,
    );
    if (facts === undefined) return [];
    cache.set(identity, facts.nics);
    return facts.nics;
  };
  const nics = await Promise.all(archs.map(async (arch) => [arch, await nicsOf(arch)] as const));
  await cache.save();
  return Object.fromEntries(nics) as Record<Arch, readonly string[]>;
}
