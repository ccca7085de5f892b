import { existsSync, readFileSync } from 'node:fs';

/** The package's own manifest lies above harness/ in a checkout, and above .build/ where compiled. */
export function packageVersion(): string {
  const manifest = ['../../package.json', '../../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  return manifest ? JSON.parse(readFileSync(manifest, 'utf8')).version : 'unknown';
}
