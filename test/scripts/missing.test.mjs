import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { npmPackagesStale } from '../../scripts/setup/npm-packages.mjs';
import { folderOfTest } from '../temporary-folder.ts';

let folder;
folderOfTest((made) => {
  folder = made;
});

const wanted = {
  '': { name: 'root' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/a-darwin': { version: '1.0.0', integrity: 'sha512-d', optional: true },
};

function stale(installed) {
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: wanted }));
  if (installed !== undefined) {
    mkdirSync(join(folder, 'node_modules'));
    const text = typeof installed === 'string' ? installed : JSON.stringify({ packages: installed });
    writeFileSync(join(folder, 'node_modules', '.package-lock.json'), text);
  }
  return npmPackagesStale(folder);
}

test.each([
  ['no node_modules', undefined, true],
  ['a torn record', '{"packa', true],
  ['everything but another platform', { 'node_modules/a': wanted['node_modules/a'] }, false],
  ['another version', { 'node_modules/a': { version: '0.9.0', integrity: 'sha512-old' } }, true],
  ['a package too many', { 'node_modules/a': wanted['node_modules/a'], 'node_modules/b': { version: '1.0.0' } }, true],
])('npm packages with %s', (_name, installed, expected) => {
  expect(stale(installed)).toBe(expected);
});
