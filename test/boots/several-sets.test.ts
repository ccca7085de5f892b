import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { compile, compiled, openWorkplace, type Workplace } from './cli.ts';

beforeAll(compile, 120_000);

/** No set is named: the cell runs on each that is given. */
const matrix = {
  name: 'm',
  groups: [{ name: 'g', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'bios', secondStage: 'none' }],
};
const rom = '/usr/lib/ipxe/qemu/pxe-e1000.rom';

/** Two builds of a ROM under one name: one that works, one that no BIOS runs. */
function makeBuilds({ folder }: Workplace): void {
  for (const name of ['old/bin', 'new/bin']) mkdirSync(join(folder, name), { recursive: true });
  copyFileSync(rom, join(folder, 'old/bin/e1000.rom'));
  const bytes = readFileSync(rom);
  // The checksum over the image is wrong now.
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
  writeFileSync(join(folder, 'new/bin/e1000.rom'), bytes);
}

const run = (place: Workplace, ...argv: string[]) =>
  place.start(
    join(compiled, 'cli/main.js'),
    'run',
    '--matrix',
    place.write('m.json', matrix),
    '--accel',
    'tcg',
    ...argv,
  ).finished;

it('a cell runs on each set, and the closing lines say what differs between them', async () => {
  using place = openWorkplace();
  makeBuilds(place);
  const { stdout, stderr } = await run(place, '--out', 'both', '--set', 'old/bin', '--set', './new/bin');
  expect(stderr).toBe('');
  expect(stdout).toContain('What differs: set old-bin → set new-bin');
  expect(stdout).toMatch(
    /no-longer-boots \(booted before, stops now\): 1\n {2}g\.x86_64\.pc\.seabios@new-bin\.e1000\.bios\n {4}boots → stops at/,
  );
  expect(readFileSync(join(place.folder, 'both/summary.md'), 'utf8')).toContain(
    '## What differs: set old-bin → set new-bin',
  );
});

it('a set given twice, one that nothing boots from, or one with nothing in it is refused before anything boots', async () => {
  using place = openWorkplace();
  makeBuilds(place);
  const refused = async (...argv: string[]) => {
    const { exitCode, stderr } = await run(place, '--out', 'none', ...argv);
    expect(exitCode).toBe(2);
    return stderr;
  };
  expect(await refused('--set', 'old/bin', '--set', './old/../old/bin')).toContain('are the same set');
  mkdirSync(join(place.folder, 'nothing'));
  expect(await refused('--set', 'old/bin', '--set', 'nothing')).toMatch(/nothing: no set\.json, and no usable file/);
  const named = { ...matrix, groups: matrix.groups.map((group) => ({ ...group, set: 'host' })) };
  expect(await refused('--matrix', place.write('named.json', named), '--set', 'old/bin')).toContain(
    '--set bin: no chosen case boots from it: all of them name host',
  );
});
