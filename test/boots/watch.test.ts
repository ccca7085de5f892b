import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { compile, compiled, openWorkplace, until } from './cli.ts';

beforeAll(compile, 120_000);

const group = { arch: 'x86_64', firmware: 'seabios', nic: 'e1000' };
const matrix = {
  name: 'm',
  groups: [
    { name: 'with-nbp', ...group, rom: 'bios', secondStage: 'undionly' },
    {
      name: 'without',
      ...group,
      rom: 'none',
      expect: { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'no ROM' },
    },
  ],
};
const manifest = {
  name: 'build',
  extends: 'host',
  nbps: [{ secondStage: 'undionly', arch: 'x86_64', bios: true, path: 'sub/undionly.kpxe' }],
};

it('watch boots again what a changed file touches, says what that changed, and ends with Ctrl-C', async () => {
  using place = openWorkplace();
  const at = (...path: string[]) => join(place.folder, ...path);
  mkdirSync(at('build/sub'), { recursive: true });
  place.write('build/set.json', manifest);
  copyFileSync('/usr/lib/ipxe/undionly.kpxe', at('build/sub/undionly.kpxe'));
  const argv = [
    'watch',
    '--matrix',
    place.write('m.json', matrix),
    '--set',
    'build',
    '--accel',
    'tcg',
    '--out',
    'rounds',
  ];
  const watching = place.start(join(compiled, 'cli/main.js'), ...argv);
  const round = (nth: number) => at('rounds', `00${nth}`, 'report.html');
  await until('the first round', () => existsSync(round(1)), 90_000);

  // A whole folder in the place of another, as builds do it: the NBP returns to the BIOS at once (int 0x18).
  mkdirSync(at('new'));
  const broken = readFileSync(at('build/sub/undionly.kpxe'));
  broken.writeUInt16BE(0xcd18, 0);
  writeFileSync(at('new/undionly.kpxe'), broken);
  rmSync(at('build/sub'), { recursive: true });
  renameSync(at('new'), at('build/sub'));
  await until('the second round', () => existsSync(round(2)) && !existsSync(round(1)), 90_000);

  const { cases } = runResultSchema.parse(JSON.parse(readFileSync(at('rounds/002/results.json'), 'utf8')));
  expect(cases.map(({ run: { reusedFrom } }) => reusedFrom !== undefined)).toEqual([false, true]);
  watching.kill('SIGINT');
  const { exitCode, stdout } = await watching.finished;
  expect(exitCode).toBe(0);
  expect(stdout).toContain('changed: build/sub');
  expect(stdout).toContain('no-longer-boots (booted before, stops now): 1\n  with-nbp.');
  expect(stdout).toContain('2 cells compared: 1 no-longer-boots\n');
  expect(stdout).toContain('1 of them not booted: their inputs are unchanged');
  expect(place.survivors()).toEqual([]);
}, 200_000);

it('watch wants a folder', async () => {
  using place = openWorkplace();
  const { exitCode, stderr } = await place.start(join(compiled, 'cli/main.js'), 'watch', '--set', 'bookworm').finished;
  expect(stderr).toContain('expected a folder to watch');
  expect(exitCode).toBe(2);
});
