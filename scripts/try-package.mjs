#!/usr/bin/env node
// Packs the package, installs it from npm's registry into an empty folder, and there fetches the sets into an empty cache
// and boots one cell of each firmware. Arguments go to `netboot install`: set names, --with-deps, --mirror URL.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, runScript, SetUpError, say } from './setup/checkout.mjs';

const cells = [
  'bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled',
  'uefi-no-rom.x86_64.q35.ovmf@bookworm.virtio-net-pci.none.snponly',
  'arm-no-rom.aarch64.virt.aavmf@bookworm.virtio-net-pci.none.ipxe',
];

await runScript(() => {
  const folder = mkdtempSync(join(tmpdir(), 'netboot-package-'));
  const { NETBOOT_CACHE: _own, ...env } = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
  const run = (cwd, program, ...args) => {
    say(`$ ${[program, ...args].join(' ')}`);
    const { status, error } = spawnSync(program, args, { cwd, env, stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new SetUpError(`${program} ${args[0]}: ${error?.message ?? `exit code ${status}`}`, 1);
  };
  try {
    run(checkout, 'npm', 'pack', '--loglevel=error', '--pack-destination', folder);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    run(folder, 'sh', '-c', 'npm install --no-audit --no-fund --loglevel=error netboot-harness-*.tgz');
    run(folder, 'npx', 'netboot', 'install', ...process.argv.slice(2));
    run(folder, 'npx', 'netboot', 'doctor');
    run(folder, 'npx', 'netboot', 'run', ...cells, '--out', 'results');
    say('the package installs and boots');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
