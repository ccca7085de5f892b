import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtefactSets } from '../assets/sets/sets.ts';
import { qemuProgramOf } from '../model/qemu-program.ts';
import type { Resolved } from '../model/resolved.ts';
import { hostQemu, type Scenario } from '../model/scenario.ts';
import { isProgram } from '../os/find-program.ts';
import { found, NotHere, type Resolving } from './resolving.ts';

/** Where Debian's packages put QEMU's data files, below the root they were unpacked into. */
const dataFolders = ['usr/share/qemu', 'usr/share/seabios'];

/** QEMU aborts on modules of another build, and searches the host's module directory (util/module.c). */
async function moduleFolders(root: string): Promise<string[]> {
  const lib = join(root, 'usr/lib');
  const triplets = await readdir(lib).catch(() => []);
  return triplets.map((triplet) => join(lib, triplet, 'qemu'));
}

/** The QEMU that a scenario runs on. @throws NotHere if a named one is not in the cache */
export async function findQemu(
  { qemu, arch }: Pick<Scenario, 'qemu' | 'arch'>,
  sets: Pick<ArtefactSets, 'program'>,
): Promise<Resolved['qemu']> {
  // Whether it is in PATH is checked by the run: a plan needs no QEMU.
  if (qemu === hostQemu) return { program: qemuProgramOf(arch), dataFolders: [], env: {} };
  if (typeof qemu === 'object') return { program: qemu.file, dataFolders: [], env: {} };
  const { root } = found<{ root: string }>(await sets.program(qemu));
  const program = join(root, 'usr/bin', qemuProgramOf(arch));
  if (!isProgram(program)) throw new NotHere(`${qemu} has no ${qemuProgramOf(arch)}`);
  const [modules] = await moduleFolders(root);
  return {
    program,
    dataFolders: dataFolders.map((folder) => join(root, folder)),
    env: modules === undefined ? {} : { QEMU_MODULE_DIR: modules },
  };
}

/** The same, recorded as an input unless it is the host's. */
export async function resolveQemu({ scenario, sources, add }: Resolving): Promise<Resolved['qemu']> {
  const qemu = await findQemu(scenario, sources.sets);
  if (scenario.qemu !== hostQemu) await add('qemu', qemu.program);
  return qemu;
}
