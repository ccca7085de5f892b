#!/usr/bin/env node
// Packs the package, installs it from npm's registry into an empty folder, and there fetches the sets into an empty cache
// and boots.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { checkout, runScript, SetUpError, say } from './setup/checkout.mjs';

const usage = `usage: npm run try-package -- [--smoke | --whole] [--out DIR] [ARGUMENT…]

Packs the package, installs it from npm's registry into an empty folder, fetches the sets into an empty cache, and boots
one cell of each firmware.

  --smoke    about twenty cells, one of each kind
  --whole    the default matrix
  --out DIR  where the results go, to be kept (default: removed with everything else)
  ARGUMENT   for \`netboot install\`: set names, --with-deps, --mirror URL, …`;

const ofEachFirmware = [
  'bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled',
  'uefi-no-rom.x86_64.q35.ovmf@bookworm.virtio-net-pci.none.snponly',
  'arm-no-rom.aarch64.virt.aavmf@bookworm.virtio-net-pci.none.ipxe',
];

/** What to boot and where the results go; the other arguments are for `netboot install`. */
function readArguments(argv) {
  const cells = argv.includes('--whole') ? [] : argv.includes('--smoke') ? ['--smoke'] : ofEachFirmware;
  const at = argv.indexOf('--out');
  const out = at < 0 ? undefined : argv[at + 1];
  if (at >= 0 && (out === undefined || existsSync(out)))
    throw new SetUpError(`--out: expected a folder that does not exist yet, saw ${out ?? 'nothing'}\n${usage}`, 2);
  const own = (word, index) => ['--smoke', '--whole'].includes(word) || (at >= 0 && (index === at || index === at + 1));
  return { cells, out: out && resolve(out), forInstall: argv.filter((word, index) => !own(word, index)) };
}

function tryPackage({ cells, out, forInstall }) {
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
    run(folder, 'npx', 'netboot', 'install', ...forInstall);
    run(folder, 'npx', 'netboot', 'doctor');
    run(folder, 'npx', 'netboot', 'run', ...cells, '--out', out ?? 'results');
    say('the package installs and boots');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await runScript(() => {
  const argv = process.argv.slice(2);
  if (argv.includes('--help') || argv.includes('-h')) return console.log(usage);
  return tryPackage(readArguments(argv));
});
