import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { didYouMean } from '../model/did-you-mean.ts';
import { HarnessError } from '../model/errors.ts';
import { type AptMirror, findMirror } from './apt-sources.ts';
import { explainMissing } from './install-packages.ts';
import { inspectMachine, type Machine } from './machine.ts';
import type { SetPackage } from './made-manifest.ts';
import { isIntact, recipeHash, removeAbandoned, tryMakeSet, wantedPackages, workFolder } from './make-sets.ts';
import { mirrorSource } from './mirror/debian-mirror.ts';
import type { PackageSource } from './package-source.ts';
import { aptSource } from './private-apt.ts';
import { readRecorded, recordOf, writeRecorded } from './recorded-packages.ts';
import { type SetRecipe, setRecipes, testRecipes } from './set-recipes.ts';
import { missingOf, type SystemPackage } from './system-packages.ts';

export interface InstallRequest {
  readonly cacheDir: string;
  /** Names of sets and programs; none: all that can be used here. */
  readonly names: readonly string[];
  /** Also the programs that only tests need. */
  readonly tests?: boolean | undefined;
  /** Makes sets again that are there. */
  readonly refresh: boolean;
  /** The folder with `dists/` and `pool/` of a Debian mirror, read without apt; absent: the machine's own, by apt. */
  readonly mirror?: string | undefined;
  readonly allowExpired: boolean;
  /** Of the operating system. */
  readonly packages: readonly SystemPackage[];
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** What there is to do; nothing has been done yet. */
export interface InstallPlan {
  readonly request: InstallRequest;
  readonly machine: Machine;
  readonly missing: readonly SystemPackage[];
  /** Sets to make. */
  readonly sets: readonly SetRecipe[];
  /** Sets that are there. */
  readonly intact: readonly SetRecipe[];
  /** Programs that are for another system, and were not asked for by name. */
  readonly left: readonly SetRecipe[];
}

function chosenRecipes({ names, tests = false }: Pick<InstallRequest, 'names' | 'tests'>): readonly SetRecipe[] {
  const known = setRecipes.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new HarnessError('usage', `no set ${unknown} to install${didYouMean(unknown, known)}`, {
      hint: `There are ${known.join(', ')}.`,
    });
  }
  return names.length === 0
    ? [...setRecipes, ...(tests ? testRecipes : [])]
    : setRecipes.filter(({ name }) => names.includes(name));
}

/** Throws HarnessError `usage` for a set that does not exist, or a mirror that is no URL. */
export async function planInstall(request: InstallRequest): Promise<InstallPlan> {
  const { names, mirror, refresh, cacheDir, packages } = request;
  if (mirror !== undefined && !/^https?:\/\//.test(mirror)) {
    throw new HarnessError('usage', `--mirror ${mirror}: expected an http or https URL`, {
      hint: 'Give the folder that has dists/ and pool/, as in --mirror https://deb.debian.org/debian.',
    });
  }
  const machine = inspectMachine(request.env);
  const usable = ({ program, name }: SetRecipe) => program === undefined || machine.isDebian || names.includes(name);
  const recipes = chosenRecipes(request);
  const intact: SetRecipe[] = [];
  const sets: SetRecipe[] = [];
  for (const recipe of recipes.filter(usable)) {
    const isThere = !refresh && (await isIntact(recipe, { cacheDir, machine }));
    (isThere ? intact : sets).push(recipe);
  }
  return {
    request,
    machine,
    missing: missingOf(packages, machine),
    sets,
    intact,
    left: recipes.filter((recipe) => !usable(recipe)),
  };
}

/** A digest of all recipes: the same sets are made as long as it is the same. */
export const recipesKey = (machine: Machine = inspectMachine()): string =>
  createHash('sha256')
    .update(setRecipes.map((recipe) => recipeHash(recipe, machine)).join())
    .digest('hex')
    .slice(0, 16);

/** What the plan would do, line by line. */
export function describePlan({ request, machine, sets, intact, left, missing }: InstallPlan): string[] {
  const own = ownMirror(machine) && "the mirror in apt's sources, by apt";
  const origin = request.mirror ?? own ?? 'a mirror that --mirror is still to name';
  return [
    `into ${request.cacheDir}`,
    ...intact.map(({ name }) => `${name}: there`),
    ...sets.map((recipe) => {
      const count = Object.keys(wantedPackages(recipe, machine)).length;
      return `${recipe.name}: ${count} packages of Debian ${recipe.suite ?? recipe.name} from ${origin}`;
    }),
    ...left.map(({ name }) => `${name}: left out, its programs are built for Debian`),
    ...(missing.length === 0 ? [] : explainMissing(missing, machine)),
  ];
}

/** The mirror of this machine's own packages; undefined where those are not Debian's. */
const ownMirror = ({ hasApt, isDebian, codename = '' }: Machine): AptMirror | undefined =>
  hasApt && isDebian ? findMirror(codename) : undefined;

/** Undefined: none is known. */
function sourceOf({ request, machine }: InstallPlan, work: string): PackageSource | undefined {
  const { mirror, allowExpired, signal } = request;
  const options = { work, allowExpired, signal };
  if (mirror !== undefined) return mirrorSource({ uri: mirror, ...options });
  const own = ownMirror(machine);
  return own && aptSource(own, options);
}

/** Makes the sets of the plan; resolves to the names of those that could not be had. */
export async function makeSets(
  plan: InstallPlan,
  { say, record = false }: { say: (line: string) => void; record?: boolean },
): Promise<string[]> {
  if (plan.sets.length === 0) return [];
  const { request, machine } = plan;
  await removeAbandoned(request.cacheDir);
  const work = workFolder(request.cacheDir, 'lists');
  const source = sourceOf(plan, work);
  if (source === undefined) {
    say("There is no Debian mirror in apt's sources, and none is named, so these sets are not fetched and their cells");
    say('will not run. Name one: --mirror https://deb.debian.org/debian, or NETBOOT_DEBIAN_MIRROR.');
    return plan.sets.map(({ name }) => name);
  }
  const recorded = await readRecorded();
  const how = { cacheDir: request.cacheDir, machine, source, recorded: record ? {} : recorded, say };
  const made: Record<string, SetPackage[] | undefined> = {};
  try {
    for (const recipe of plan.sets) {
      request.signal.throwIfAborted();
      made[recipe.name] = await tryMakeSet(recipe, how);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  if (record) await writeRecorded(recordOf(recorded, made));
  return plan.sets.map(({ name }) => name).filter((name) => made[name] === undefined);
}
