import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { HarnessError } from '../model/errors.ts';
import type { Machine } from './machine.ts';
import { manifestFor, type SetPackage } from './made-manifest.ts';
import type { PackageSource } from './package-source.ts';
import { driftOf, type Recorded } from './recorded-packages.ts';
import { manifestRows, type SetRecipe, type Wanted } from './set-recipes.ts';
import { installedPackages } from './system-packages.ts';
import { unpackDeb } from './unpack-deb.ts';

export interface MakeSets {
  readonly cacheDir: string;
  readonly machine: Machine;
  readonly source: PackageSource;
  readonly recorded: Recorded;
  readonly say: (line: string) => void;
}

/** What a set was made of: written last, next to the set's files. */
const madeSchema = z.object({
  hash: z.string(),
  installed: z.record(z.string(), z.string()),
  files: z.record(z.string(), z.number()),
});

/** Sets go where the harness looks for them; programs next to those. */
const folderOf = (recipe: SetRecipe, cacheDir: string): string =>
  join(cacheDir, recipe.program === undefined ? 'sets' : 'programs', recipe.name);

/** A changed recipe or host suite rebuilds the set. */
export const recipeHash = (recipe: SetRecipe, { codename }: Pick<Machine, 'codename'>): string =>
  createHash('sha256')
    .update(JSON.stringify([recipe, manifestRows, codename]))
    .digest('hex');

/** Whether the set exists, made by this recipe, with every file at its recorded length. */
export async function isIntact(
  recipe: SetRecipe,
  { cacheDir, machine }: Pick<MakeSets, 'cacheDir' | 'machine'>,
): Promise<boolean> {
  const folder = folderOf(recipe, cacheDir);
  try {
    const { hash, installed, files } = madeSchema.parse(JSON.parse(await readFile(join(folder, 'made.json'), 'utf8')));
    const now = installedPackages();
    return (
      hash === recipeHash(recipe, machine) &&
      Object.entries(files).every(([file, bytes]) => statSync(join(folder, file)).size === bytes) &&
      Object.entries(installed).every(([name, version]) => now.get(name) === version)
    );
  } catch {
    return false;
  }
}

/** Lengths of the regular files below `root/`. */
function filesOf(folder: string): Record<string, number> {
  const root = join(folder, 'root');
  if (!existsSync(root)) return {};
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.map((file) => [file.slice(folder.length + 1), statSync(file).size]));
}

/** The packages taken from the machine: those of the recipe that it has installed, if it runs that suite. */
function ownPackages({ name, installed }: SetRecipe, { isDebian, codename }: Machine): SetPackage[] {
  if (!isDebian || codename !== name) return [];
  const versions = installedPackages();
  return Object.keys(installed).flatMap((one) => {
    const version = versions.get(one);
    return version === undefined ? [] : [{ name: one, version }];
  });
}

/** Which packages making the set downloads, with the files wanted of each. */
export function wantedPackages(recipe: SetRecipe, machine: Machine): Wanted {
  const own = new Set(ownPackages(recipe, machine).map(({ name }) => name));
  const others = Object.entries(recipe.installed).filter(([name]) => !own.has(name));
  return { ...Object.fromEntries(others), ...recipe.unpacked };
}

async function fetchInto(recipe: SetRecipe, work: string, { source, machine }: MakeSets): Promise<SetPackage[]> {
  const wanted = wantedPackages(recipe, machine);
  const names = Object.keys(wanted);
  const packages = await source.fetch(recipe.suite ?? recipe.name, names, join(work, 'packages'));
  const unpacked: SetPackage[] = [];
  for (const { name, arch, version, sha256, path } of packages) {
    const key = names.find((one) => one === name || one === `${name}:${arch}`) ?? name;
    await unpackDeb(path, wanted[key] ?? [], join(work, 'set/root'));
    unpacked.push({ name: key, version, sha256 });
  }
  await rm(join(work, 'packages'), { recursive: true, force: true });
  return unpacked.sort((a, b) => a.name.localeCompare(b.name));
}

/** Puts a made folder in the place of the one that is there; another process may do the same. */
async function putInPlace(made: string, place: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  const old = `${made}.old`;
  await rename(place, old).catch(() => {});
  await rename(made, place).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  await rm(old, { recursive: true, force: true });
}

/** Where this process works on something. */
export const workFolder = (cacheDir: string, what: string): string => join(cacheDir, `making-${what}.${process.pid}`);

/** Removes what killed processes left. */
export async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir).catch(() => [])) {
    const pid = Number(/^making-.+\.(\d+)$/.exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Makes a set in a folder of its own, then puts it in place; resolves to what was downloaded for it. */
async function makeSet(recipe: SetRecipe, how: MakeSets): Promise<SetPackage[]> {
  const { cacheDir, machine, recorded, say } = how;
  const work = workFolder(cacheDir, recipe.name);
  const folder = join(work, 'set');
  try {
    await mkdir(folder, { recursive: true });
    const own = ownPackages(recipe, machine);
    const fetched = await fetchInto(recipe, work, how);
    const drift = driftOf(recorded[recipe.name] ?? {}, fetched);
    if (drift.length > 0) say(`${recipe.name}: changed since it was recorded: ${drift.join(', ')}`);
    if (recipe.program === undefined) {
      const manifest = manifestFor({ recipe, folder, packages: [...own, ...fetched], drift });
      await writeFile(join(folder, 'set.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    }
    const made = {
      hash: recipeHash(recipe, machine),
      installed: Object.fromEntries(own.map(({ name, version }) => [name, version])),
      files: filesOf(folder),
    };
    await writeFile(join(folder, 'made.json'), `${JSON.stringify(made, null, 2)}\n`);
    await putInPlace(folder, folderOf(recipe, cacheDir));
    return fetched;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** As `makeSet`; one that cannot be had is reported, and undefined: only its cells do not run. */
export async function tryMakeSet(recipe: SetRecipe, how: MakeSets): Promise<SetPackage[] | undefined> {
  how.say(`fetching ${recipe.name}`);
  try {
    return await makeSet(recipe, how);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    how.say(`${recipe.name} could not be fetched, so its cells will not run: ${error.message}`);
    if (error.hint !== undefined) how.say(`hint: ${error.hint}`);
    return undefined;
  }
}
