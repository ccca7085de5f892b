import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findMirror } from './apt-sources.mjs';
import { cacheFolder, inCheckout, SetUpError, say } from './checkout.mjs';
import { installedPackages } from './debian-packages.mjs';
import { withLock } from './lock.mjs';
import { openPrivateApt, unpack } from './private-apt.mjs';
import { manifestFor } from './set-manifest.mjs';
import { manifestRows, setRecipes } from './set-recipes.mjs';

/** Sets go where the harness looks for them; programs next to those. */
const folderOf = (recipe) => `${cacheFolder}/${recipe.program === undefined ? 'sets' : 'programs'}/${recipe.name}`;
const recordFile = inCheckout('scripts/artefacts.json');
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** A changed recipe or host suite rebuilds the set. */
const recipeHash = (recipe, host) =>
  createHash('sha256')
    .update(JSON.stringify([recipe, manifestRows, host.suite]))
    .digest('hex');

const fromMachine = (recipe, host) => host.isDebian && host.suite === recipe.name;

/** Whether the set exists, made by this recipe, with every file at its recorded length. */
function intact(recipe, host) {
  try {
    const folder = folderOf(recipe);
    const { hash, installed, files } = readJson(`${folder}/made.json`);
    if (hash !== recipeHash(recipe, host)) return false;
    if (!Object.entries(files).every(([file, bytes]) => statSync(`${folder}/${file}`).size === bytes)) return false;
    if (Object.keys(installed).length === 0) return true;
    const now = installedPackages();
    return Object.entries(installed).every(([name, version]) => now.get(name) === version);
  } catch {
    return false;
  }
}

function filesBelow(folder, below = 'root') {
  if (!existsSync(`${folder}/${below}`)) return {};
  const entries = readdirSync(`${folder}/${below}`, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
  return Object.fromEntries(files.map((file) => [file.slice(folder.length + 1), statSync(file).size]));
}

const records = () => (existsSync(recordFile) ? readJson(recordFile) : {});

/** Packages that differ from the recorded ones, as `name recorded → found`. */
export function driftOf(recorded, packages) {
  return packages
    .filter((found) => found.sha256 !== undefined && recorded[found.name] !== undefined)
    .filter((found) => recorded[found.name].sha256 !== found.sha256)
    .map((found) => `${found.name} ${recorded[found.name].version} → ${found.version}`);
}

function fetchPackages(recipe, wanted, mirror, work) {
  const apt = openPrivateApt(`${work}/apt`, mirror, recipe.suite ?? recipe.name);
  const names = Object.keys(wanted);
  const packages = apt.download(names).map((found) => {
    const key = names.find((name) => name === found.name || name === `${found.name}:${found.arch}`);
    unpack(found.path, wanted[key], `${work}/set/root`);
    return { name: key, version: found.version, sha256: found.sha256 };
  });
  rmSync(`${work}/apt`, { recursive: true });
  return packages.sort((a, b) => a.name.localeCompare(b.name));
}

function makeSet(recipe, host, mirror, record) {
  const work = `${cacheFolder}/making-${recipe.name}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(`${work}/set`, { recursive: true });
  const own = fromMachine(recipe, host);
  const wanted = own ? recipe.unpacked : { ...recipe.installed, ...recipe.unpacked };
  const fetched = fetchPackages(recipe, wanted, mirror, work);
  const versions = own ? installedPackages() : new Map();
  const installed = own ? Object.keys(recipe.installed).map((name) => ({ name, version: versions.get(name) })) : [];
  const drift = driftOf(records()[recipe.name] ?? {}, fetched);
  if (drift.length > 0 && !record) say(`${recipe.name}: changed since it was recorded: ${drift.join(', ')}`);
  if (recipe.program === undefined) {
    const manifest = manifestFor({ recipe, folder: `${work}/set`, packages: [...installed, ...fetched], own, drift });
    writeFileSync(`${work}/set/set.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  }
  const made = {
    hash: recipeHash(recipe, host),
    installed: Object.fromEntries(installed.map(({ name, version }) => [name, version])),
    files: filesBelow(`${work}/set`),
  };
  writeFileSync(`${work}/set/made.json`, `${JSON.stringify(made, null, 2)}\n`);
  rmSync(folderOf(recipe), { recursive: true, force: true });
  mkdirSync(dirname(folderOf(recipe)), { recursive: true });
  renameSync(`${work}/set`, folderOf(recipe));
  rmSync(work, { recursive: true });
  return Object.fromEntries(fetched.map(({ name, ...facts }) => [name, facts]));
}

function tryMakeSet(recipe, host, mirror, record) {
  say(`fetching ${recipe.name}`);
  try {
    return makeSet(recipe, host, mirror, record);
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    say(`${recipe.name} could not be fetched, so its cells will not run: ${error.message}`);
    return undefined;
  }
}

/** The new record: a set that could not be fetched keeps its old entry. */
export function recordOf(earlier, made) {
  const had = Object.entries(made).filter(([, packages]) => packages !== undefined);
  return { ...earlier, ...Object.fromEntries(had) };
}

/** Makes the sets that are missing, broken or of another recipe. If one cannot be fetched, only its cells do not run. */
export function makeArtefactSets(host, { refresh, record }) {
  const stale = () => setRecipes.filter((recipe) => refresh || !intact(recipe, host));
  if (stale().length === 0) return;
  const mirror = host.hasApt && host.isDebian ? findMirror(host.suite) : undefined;
  if (mirror === undefined) {
    say(
      `no Debian mirror in apt's sources: cells of ${stale()
        .map(({ name }) => name)
        .join(', ')} will not run`,
    );
    return;
  }
  withLock(() => {
    const made = Object.fromEntries(stale().map((recipe) => [recipe.name, tryMakeSet(recipe, host, mirror, record)]));
    if (record) writeFileSync(recordFile, `${JSON.stringify(recordOf(records(), made), null, 2)}\n`);
  });
}
