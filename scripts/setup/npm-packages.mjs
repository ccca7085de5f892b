import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { inCheckout, SetUpError, say } from './checkout.mjs';
import { withLock } from './lock.mjs';

function lockedPackages(file) {
  try {
    const { '': _root, ...packages } = JSON.parse(readFileSync(file, 'utf8')).packages;
    return packages;
  } catch {
    return undefined;
  }
}

const same = (a, b) => a.version === b.version && a.resolved === b.resolved && a.integrity === b.integrity;

/**
 * Compares package-lock.json with what npm recorded of the installed tree. Packages for other platforms
 * are optional and rightly absent.
 */
export function npmPackagesStale(root = inCheckout()) {
  const wanted = lockedPackages(`${root}/package-lock.json`);
  const installed = lockedPackages(`${root}/node_modules/.package-lock.json`);
  if (wanted === undefined || installed === undefined) return true;
  const missing = Object.entries(wanted).some(([path, entry]) =>
    installed[path] === undefined ? entry.optional !== true : !same(entry, installed[path]),
  );
  return missing || Object.keys(installed).some((path) => wanted[path] === undefined);
}

export function installNpmPackages() {
  if (!npmPackagesStale()) return;
  withLock(() => {
    if (!npmPackagesStale()) return;
    say('installing npm packages from the lock file');
    const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: inCheckout(),
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0)
      throw new SetUpError(`npm ci failed${error ? `: ${error.message}` : ''}; it needs access to the npm registry`);
  });
}
