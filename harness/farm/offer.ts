import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Accel, archs } from '../model/axes.ts';
import { qemuProgramOf } from '../model/qemu-program.ts';
import { hostQemu } from '../model/scenario.ts';
import { openCapacity } from '../os/capacity.ts';
import { findQemu } from '../resolve/qemu.ts';
import { ownCodeDigest } from '../run/again/own-code.ts';
import { examineHost } from '../run/examine-host.ts';
import type { OpenedHost } from '../run/open-host.ts';
import { offeredAccel } from '../vm/acceleration.ts';
import { type Need, nameSchema, nicsDigest, type Offer, type QemuBuild } from './need.ts';

export interface OfferOptions {
  worker: string;
  cacheDir: string;
  version: string;
  host: OpenedHost;
  labels: readonly string[];
  trust: boolean;
}

export const ownCode = (version: string): Need['code'] => ({ version, sha256: ownCodeDigest() });

/** Names of what the set-up unpacked to be run from the cache. */
async function unpackedPrograms(cacheDir: string): Promise<string[]> {
  const names = await readdir(join(cacheDir, 'programs')).catch(() => []);
  return names.filter((name) => nameSchema.safeParse(name).success).sort();
}

async function binariesOf(cacheDir: string, program: string): Promise<string[]> {
  const folders = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((folder) =>
    join(cacheDir, 'programs', program, 'root', folder),
  );
  const files = await Promise.all(
    folders.map(async (folder) => (await readdir(folder).catch(() => [])).map((name) => join(folder, name))),
  );
  return files.flat();
}

interface Qemu extends QemuBuild {
  accels: Accel[];
}

async function qemusOf(programs: readonly string[], { host }: OfferOptions): Promise<Qemu[]> {
  const found: Qemu[] = [];
  for (const name of [hostQemu, ...programs.filter((program) => program.startsWith('qemu'))]) {
    for (const arch of archs) {
      const qemu = await findQemu({ qemu: name, arch }, host.sets).catch(() => undefined);
      if (qemu === undefined) continue;
      const { facts } = (await examineHost([qemu])).programs[0] ?? {};
      if (facts === undefined || !facts.program.endsWith(qemuProgramOf(arch))) continue;
      const accel = offeredAccel(arch, facts);
      found.push({
        ...{ name, arch, version: facts.version, nics: nicsDigest(facts.nics) },
        accels: ['tcg', ...('accel' in accel ? [accel.accel] : [])],
      });
    }
  }
  return found;
}

async function contentsOf(paths: readonly string[], { host }: OfferOptions): Promise<string[]> {
  const contents = await Promise.all(
    paths.map(async (path) => ((await stat(path)).isFile() ? (await host.fingerprints.of(path)).sha256 : [])),
  );
  return [...new Set(contents.flat())];
}

/** Looks at this machine. */
export async function makeOffer(options: OfferOptions): Promise<Offer> {
  const { worker, cacheDir, version, host, labels, trust } = options;
  const programs = await unpackedPrograms(cacheDir);
  const qemus = await qemusOf(programs, options);
  const binaries = await Promise.all(programs.map((program) => binariesOf(cacheDir, program)));
  const { cores, memoryMiB } = openCapacity();
  const own = await contentsOf([...(await host.sets.ofQemu()), ...binaries.flat()], options);
  await host.fingerprints.save();
  return {
    ...{ worker, trust, programs, own, cores, memoryMiB },
    code: ownCode(version),
    platform: `${process.platform} ${process.arch}`,
    qemus: qemus.map(({ accels: _, ...build }) => build),
    accels: Object.fromEntries(
      archs.map((arch) => [
        arch,
        [...new Set(qemus.filter((qemu) => qemu.arch === arch).flatMap((one) => one.accels))],
      ]),
    ),
    sets: [...host.sets.names],
    labels: [...labels],
  };
}
