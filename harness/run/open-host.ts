import { realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createFingerprints } from '../assets/fingerprint.ts';
import { interfaceOf } from '../assets/inspect/firmware-interface.ts';
import { createInspections } from '../assets/inspections.ts';
import { loadSets } from '../assets/sets/sets.ts';
import type { FirmwareInterface } from '../model/axes.ts';
import { HarnessError } from '../model/errors.ts';
import { oncePerKey } from '../os/once-per-key.ts';
import { findIsolation, type Impossible, type Isolation } from '../services/provisioner/isolation.ts';
import { type OfferedNics, openOfferedNics } from '../vm/offered-nics.ts';
import type { RunHost } from './run-host.ts';

export interface HostFolders {
  /** Holds artefact sets and what is kept between runs; created if absent. */
  cacheDir: string;
  /** Folders with a `set.json`, or with files to inspect. */
  setDirs?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

export interface OpenedHost extends Required<RunHost> {
  /** The NICs that each QEMU has. */
  offeredNics: OfferedNics;
  /** What a matrix may leave to the host. */
  answers: {
    nicsByArch: OfferedNics['byArch'];
    interfaceOf(code: string): Promise<FirmwareInterface | undefined>;
  };
}

/** A host, and the sets chosen by name or folder. */
export interface HostWithSets extends OpenedHost {
  /** The names that they have, in order. */
  chosenSets: readonly string[];
}

const isFolder = (set: string): boolean => statSync(set, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** A set given twice, perhaps in other words, would be compared with itself. */
function refuseTwice(given: readonly string[]): void {
  const first = new Map<string, string>();
  for (const set of given) {
    const key = isFolder(set) ? realpathSync(set) : set;
    const earlier = first.get(key);
    if (earlier !== undefined) {
      throw new HarnessError('usage', `--set ${earlier} and --set ${set} are the same set`, {
        hint: 'Give each set once; --repeat N runs each case N times.',
      });
    }
    first.set(key, set);
  }
}

/** `openHost` with sets given by name or folder. Rejects with HarnessError `usage` for one that is neither. */
export async function openHostWithSets(
  given: readonly string[],
  folders: Omit<HostFolders, 'setDirs'>,
): Promise<HostWithSets> {
  refuseTwice(given);
  const host = await openHost({ ...folders, setDirs: given.filter(isFolder) });
  const { names, nameOf } = host.sets;
  const chosenSets = given.map((set) => {
    const name = nameOf.get(set) ?? set;
    if (names.includes(name)) return name;
    throw new HarnessError('usage', `--set ${set}: expected a folder or a known set, saw neither`, {
      hint: `Known sets: ${names.join(', ')}.`,
    });
  });
  return { ...host, chosenSets };
}

/** What this host offers for running cases, as `runMatrix` takes it. Rejects with `bad-set` for a broken manifest. */
export async function openHost({ cacheDir, setDirs = [], env = process.env }: HostFolders): Promise<OpenedHost> {
  const fingerprints = createFingerprints({ cacheFile: join(cacheDir, 'fingerprints.json') });
  const inspections = createInspections({ fingerprints, cacheFile: join(cacheDir, 'inspections.json') });
  const offeredNics = openOfferedNics(join(cacheDir, 'nics.json'));
  const isolations = oncePerKey<Isolation | Impossible>();
  return {
    sets: await loadSets({ cacheDir, setDirs, host: { env, root: '' }, inspections, fingerprints }),
    fingerprints: {
      of: fingerprints.of,
      save: async () => void (await Promise.all([fingerprints.save(), inspections.save()])),
    },
    inspections,
    isolation: (hasPacketPrograms) => isolations(String(hasPacketPrograms), () => findIsolation(hasPacketPrograms)),
    setDirs: setDirs.map((folder) => resolve(folder)),
    accelCacheFile: join(cacheDir, 'acceleration.json'),
    lengthsFile: join(cacheDir, 'case-lengths.json'),
    templatesFolder: join(cacheDir, 'templates'),
    offeredNics,
    answers: {
      nicsByArch: () => offeredNics.byArch(),
      // A missing file is reported by name when the case is resolved.
      interfaceOf: (code) => inspections.of(code).then(interfaceOf, () => undefined),
    },
  };
}
