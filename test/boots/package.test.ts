import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { checkout, compile, openWorkplace } from './cli.ts';

beforeAll(async () => {
  await compile();
  vi.stubEnv('NETBOOT_CACHE', join(checkout, '.cache'));
}, 300_000);
afterAll(() => void vi.unstubAllEnvs());

/** The package as published, in a folder's node_modules; its dependencies are the checkout's. */
async function installInto(folder: string): Promise<string> {
  const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: checkout });
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  await execa('tar', ['-xzf', join(folder, stdout.trim().split('\n').at(-1) ?? ''), '-C', modules]);
  await execa('mv', [join(modules, 'package'), join(modules, 'netboot-harness')]);
  for (const name of readdirSync(join(checkout, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(checkout, 'node_modules', name), join(modules, name));
  }
  return join(modules, 'netboot-harness', '.build/harness/cli/main.js');
}

const cells = [
  'bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled',
  'uefi-no-rom.x86_64.q35.ovmf@bookworm.virtio-net-pci.none.snponly',
  'linux-arm.aarch64.virt.aavmf@bookworm.virtio-net-pci.none.ipxe.linux',
];

it('the package as published boots the default matrix in an empty folder, given the sets', async () => {
  using place = openWorkplace();
  const main = await installInto(place.folder);
  const planned = await place.start(main, 'install', '--dry-run').finished;
  expect(planned.stdout).toContain('bookworm: there');
  const { exitCode, stdout, stderr } = await place.start(main, 'run', ...cells, '--out', 'results').finished;
  expect(stdout + stderr).toMatch(/\b3 cases: 3 passed\b/);
  expect(exitCode).toBe(0);
});
