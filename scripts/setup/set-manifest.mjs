import { existsSync, readdirSync } from 'node:fs';
import { manifestRows } from './set-recipes.mjs';

const pathFields = ['code', 'vars', 'path', 'kernel', 'initrd'];

/**
 * A set's set.json, as read by harness/assets: rows of the table whose files the set has, with paths relative to the
 * manifest, or absolute for files of the machine.
 */
export function manifestFor({ recipe, folder, packages, own, drift }) {
  const locate = (path) => {
    if (existsSync(`${folder}/root/${path}`)) return `root/${path}`;
    return own && existsSync(`/${path}`) ? `/${path}` : undefined;
  };
  const has = (name) => packages.some((found) => found.name === name);
  const place = ({ packages: candidates, companions, ...row }) => {
    const placed = { ...row, package: candidates.find(has) };
    for (const field of pathFields) if (row[field] !== undefined) placed[field] = locate(row[field]);
    if (companions !== undefined) {
      const found = Object.entries(companions).map(([name, path]) => [name, locate(path)]);
      placed.companions = Object.fromEntries(found);
    }
    const paths = [
      ...pathFields.filter((field) => row[field] !== undefined).map((field) => placed[field]),
      ...Object.values(placed.companions ?? {}),
    ];
    return placed.package === undefined || paths.includes(undefined) ? [] : [placed];
  };
  const roms = manifestRows.bundledRoms
    .map(locate)
    .find(
      (path) =>
        path !== undefined &&
        readdirSync(path.startsWith('/') ? path : `${folder}/${path}`).some((name) => name.endsWith('.rom')),
    );
  return {
    name: recipe.name,
    description: `Debian ${recipe.name}${drift.length === 0 ? '' : `; changed since it was recorded: ${drift.join(', ')}`}`,
    packages,
    firmware: manifestRows.firmware.flatMap(place),
    nbps: manifestRows.nbps.flatMap(place),
    kernels: manifestRows.kernels.flatMap(place),
    ...(roms === undefined ? {} : { bundledRoms: roms, bundledRomsPackage: 'ipxe-qemu' }),
  };
}
