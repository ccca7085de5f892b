import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { HarnessError } from '../../model/errors.ts';

const outside = (path: string, root: string, why: string): HarnessError =>
  new HarnessError('bad-run-directory', `${path}: ${why}; expected a path inside ${root}`, {
    hint: 'Nothing was written or removed. A directory that was made elsewhere is read with care: look into its records.',
    details: { root, path },
  });

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

/**
 * The path of `name` below `root`. `root` may itself be a symbolic link; nothing below it may.
 * @throws HarnessError `bad-run-directory` if it would lead outside
 */
export function pathInside(root: string, name: string): string {
  const path = resolve(root, name);
  const steps = relative(resolve(root), path).split(sep);
  if (steps[0] === '' || steps[0] === '..') throw outside(path, root, 'it lies outside');
  let reached = resolve(root);
  for (const step of steps) {
    reached = join(reached, step);
    if (isLink(reached)) throw outside(reached, root, 'it is a symbolic link');
  }
  return path;
}

/** An empty directory at `name` below `root`; replaces what was there. Throws as `pathInside` does. */
export function emptyDirectoryInside(root: string, name: string): string {
  const path = pathInside(root, name);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}
