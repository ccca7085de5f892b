import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtefactSets } from '../assets/sets/sets.ts';
import { qemuProgramOf } from '../model/qemu-program.ts';
import type { Resolved } from '../model/resolved.ts';
import { hostQemu, type Scenario } from '../model/scenario.ts';

/** Where Debian's packages put what QEMU loads by itself, below the root they were unpacked into. */
const dataFolders = ['usr/share/qemu', 'usr/share/seabios'];

/** QEMU aborts on modules of another build, and looks for its own where the host's are (util/module.c). */
async function moduleFolders(root: string): Promise<string[]> {
  const lib = join(root, 'usr/lib');
  const triplets = await readdir(lib).catch(() => []);
  return triplets.map((triplet) => join(lib, triplet, 'qemu'));
}

/** The QEMU that a scenario runs on; the reason where it is not here. */
export async function findQemu(
  { qemu, arch }: Pick<Scenario, 'qemu' | 'arch'>,
  sets: Pick<ArtefactSets, 'program'>,
): Promise<Resolved['qemu'] | { missing: string }> {
  if (typeof qemu === 'object') return { program: qemu.file, dataFolders: [], env: {} };
  // Whether PATH has it is for the run to find out: a plan needs no QEMU.
  if (qemu === hostQemu) return { program: qemuProgramOf(arch), dataFolders: [], env: {} };
  const found = await sets.program(qemu);
  if ('missing' in found) return found;
  const program = join(found.root, 'usr/bin', qemuProgramOf(arch));
  const runs = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!runs) return { missing: `${qemu} has no ${qemuProgramOf(arch)}` };
  const [modules] = await moduleFolders(found.root);
  return {
    program,
    dataFolders: dataFolders.map((folder) => join(found.root, folder)),
    env: modules === undefined ? {} : { QEMU_MODULE_DIR: modules },
  };
}
