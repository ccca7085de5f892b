import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  debianPackages,
  explainMissing,
  installDebianPackages,
  installedPackages,
} from '../../scripts/setup/debian-packages.mjs';
import { npmPackagesStale } from '../../scripts/setup/npm-packages.mjs';

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'missing-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

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

test('only fully installed Debian packages count', () => {
  const status = join(folder, 'status');
  writeFileSync(
    status,
    [
      'Package: ovmf\nStatus: install ok installed\nVersion: 2022.11-6\nDescription: x\n Package: fake\n',
      'Package: ipxe\nStatus: deinstall ok config-files\nVersion: 1.0.0\n',
      'Package: seabios\nStatus: install ok half-configured\nVersion: 1.16\n',
    ].join('\n'),
  );
  expect([...installedPackages(status)]).toEqual([['ovmf', '2022.11-6']]);
});

test('what is missing is named with the commands that install it', () => {
  const text = explainMissing(debianPackages.slice(0, 2), 'No root');
  expect(text).toContain('qemu-system-x86: x86_64 guests');
  expect(text).toContain('sudo apt-get install --no-install-recommends qemu-system-x86 qemu-system-arm\n');
  expect(text).toContain('sudo dnf install');
  expect(text).toContain('brew install qemu');
});

test('without root nothing is installed: the commands are said, and the exit code is 3', () => {
  const wanted = [
    { name: 'netboot-no-such-package', needed: true, programs: ['netboot-no-such-program'], why: 'tests' },
  ];
  for (const hasApt of [true, false]) {
    let refusal;
    try {
      installDebianPackages({ hasApt, isRoot: false }, wanted);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({
      name: 'SetUpError',
      exitCode: 3,
      message: expect.stringContaining('sudo apt-get install --no-install-recommends netboot-no-such-package'),
    });
  }
});

test('without root an optional package costs its cells alone', () => {
  const wanted = [
    { name: 'netboot-no-such-package', needed: false, programs: ['netboot-no-such-program'], why: 'tests' },
  ];
  expect(() => installDebianPackages({ hasApt: true, isRoot: false }, wanted)).not.toThrow();
});
