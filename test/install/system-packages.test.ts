import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explainMissing, installPackages } from '../../harness/install/install-packages.ts';
import type { Machine, System } from '../../harness/install/machine.ts';
import { installCommands, installedPackages, missingOf, runPackages } from '../../harness/install/system-packages.ts';

test('only fully installed Debian packages count', () => {
  const folder = mkdtempSync(join(tmpdir(), 'missing-'));
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
  expect(missingOf(runPackages, { system: 'debian' }, installedPackages(status)).map(({ name }) => name)).toEqual(
    runPackages.map(({ name }) => name).filter((name) => name !== 'ovmf'),
  );
  rmSync(folder, { recursive: true });
});

test.each<[System, string[]]>([
  ['debian', ['Debian, Ubuntu: sudo apt-get install --no-install-recommends qemu-system-x86 qemu-system-arm ovmf']],
  ['fedora', ['Fedora: sudo dnf install qemu-system-x86-core qemu-system-aarch64-core edk2-ovmf']],
  ['arch', ['Arch: sudo pacman -S --needed qemu-system-x86 qemu-system-aarch64 edk2-ovmf']],
  // One package has both QEMUs and their firmware.
  ['macos', ['macOS: brew install qemu']],
])('on %s the commands are those of that system', (system, expected) => {
  expect(installCommands(runPackages.slice(0, 3), system)).toEqual(expected);
});

test('on an unknown system all commands are given', () => {
  const text = explainMissing(runPackages.slice(0, 2), { system: 'other' }).join('\n');
  expect(text).toContain('qemu-system-x86: x86_64 guests');
  for (const command of ['apt-get install', 'dnf install', 'pacman -S', 'brew install'])
    expect(text).toContain(command);
});

const absent = { name: 'netboot-no-such-package', why: 'tests', programs: ['netboot-no-such-program'] };
const machine: Machine = { system: 'debian', isDebian: true, codename: 'bookworm', hasApt: true, isRoot: false };
const how = (said: string[] = []) => ({ say: (line: string) => said.push(line), signal: AbortSignal.timeout(10_000) });

test.each([
  ['root', { ...machine }],
  ['apt', { ...machine, hasApt: false }],
])('without %s nothing is installed: the command is given', async (_, here) => {
  await expect(installPackages([{ ...absent, needed: true }], { machine: here, ...how() })).rejects.toMatchObject({
    code: 'missing-program',
    message: expect.stringContaining('sudo apt-get install --no-install-recommends netboot-no-such-package'),
  });
});

test('without root an optional package costs only its cells', async () => {
  const said: string[] = [];
  await installPackages([{ ...absent, needed: false }], { machine, ...how(said) });
  expect(said).toEqual(['missing netboot-no-such-package, needed for tests']);
});
