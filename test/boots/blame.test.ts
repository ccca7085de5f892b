import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile, compiled, openWorkplace, type Workplace } from './cli.ts';

beforeAll(compile, 120_000);

const matrix = {
  name: 'm',
  groups: [{ name: 'g', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'bios', secondStage: 'undionly' }],
};
const cell = (set: string) => `g.x86_64.pc.seabios@${set}.e1000.bios.undionly`;

const start = (place: Workplace, ...argv: string[]) => place.start(join(compiled, 'cli/main.js'), ...argv).finished;

/** Two builds that differ in ROM and NBP; only the second NBP does not work. Each is run. */
async function runBuilds(place: Workplace): Promise<void> {
  const at = (...path: string[]) => join(place.folder, ...path);
  const rom = readFileSync('/usr/lib/ipxe/qemu/pxe-e1000.rom');
  const nbp = readFileSync('/usr/lib/ipxe/undionly.kpxe');
  const padded = Buffer.concat([rom, Buffer.alloc(512)]);
  // int 0x18: back to the BIOS.
  const broken = Buffer.from(nbp);
  broken.writeUInt16BE(0xcd18, 0);
  for (const [build, files] of Object.entries({ 1: [rom, nbp], 2: [padded, broken] })) {
    mkdirSync(at(build));
    writeFileSync(at(build, 'e1000.rom'), files[0] as Buffer);
    writeFileSync(at(build, 'undionly.kpxe'), files[1] as Buffer);
    place.write(`${build}/set.json`, {
      name: build,
      extends: 'host',
      roms: [{ nic: 'e1000', kind: 'bios', path: 'e1000.rom' }],
      nbps: [{ secondStage: 'undionly', arch: 'x86_64', bios: true, path: 'undionly.kpxe' }],
    });
  }
  const file = place.write('m.json', matrix);
  for (const [set, out] of [
    ['1', 'good'],
    ['2', 'bad'],
  ] as const) {
    await start(place, 'run', '--matrix', file, '--accel', 'tcg', '--set', `./${set}`, '--out', out);
  }
}

const blame = (place: Workplace, ...argv: string[]) =>
  start(place, 'blame', cell('1'), cell('2'), '--good', 'good', '--bad', 'bad', '--accel', 'tcg', ...argv);

describe('netboot blame', () => {
  it('exchanges ROM and NBP between two runs, and blames the one that makes the difference', async () => {
    using place = openWorkplace();
    await runBuilds(place);
    const { exitCode, stdout, stderr } = await blame(place, '--json', '--out', 'records');
    const found = JSON.parse(stdout);
    expect(found.differing.map(({ part }: { part: string }) => part)).toEqual(['rom', 'nbp']);
    expect(found.culprits).toEqual([['nbp']]);
    expect(found.conclusion).toBe('nbp alone makes the difference');
    expect(found.tried).toHaveLength(4);
    expect(stderr).toContain('bad-with-good.nbp: boots');
    expect(stderr).toMatch(/good-with-bad\.nbp: stops at nbp/);
    expect(stderr).toContain('good-with-bad.rom: boots');
    expect(exitCode).toBe(1);

    // The mixed case is recorded as what it was.
    const plan = readFileSync(join(place.folder, 'records/one/cases/bad-with-good.nbp/plan.json'), 'utf8');
    const paths = JSON.parse(plan).inputs.map(({ path }: { path: string }) => path);
    expect(paths).toContain(join(place.folder, '1/undionly.kpxe'));
    expect(paths).toContain(join(place.folder, '2/e1000.rom'));

    // A build made in place of the good one: its files are gone.
    copyFileSync(join(place.folder, '2/undionly.kpxe'), join(place.folder, '1/undionly.kpxe'));
    const changed = await blame(place);
    expect(changed.stderr).toMatch(/this would not run what was run:\n {2}nbp: .*undionly\.kpxe had SHA-256/);
    expect(changed.exitCode).toBe(3);
    rmSync(join(place.folder, '1'), { recursive: true });
    expect((await blame(place)).stderr).toMatch(/--set .*1: expected a folder or a known set/);

    const same = await start(place, 'blame', cell('2'), '--good', 'bad', '--bad', 'bad', '--accel', 'tcg');
    expect(same).toMatchObject({ exitCode: 0, stdout: 'both do the same now: there is nothing to blame\n' });
  }, 180_000);
});
