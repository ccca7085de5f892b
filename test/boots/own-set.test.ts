import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { found } from '../assets/found.ts';
import { hostSet } from './assets/host.ts';
import { compile, compiled, openWorkplace } from './cli.ts';

beforeAll(compile, 120_000);

test("a ROM that was made boots from a set of one's own, and a cell whose ROM the set lacks says so", async () => {
  using place = openWorkplace();
  const netboot = (...argv: string[]) => place.start(join(compiled, 'cli/main.js'), ...argv).finished;
  const host = await hostSet();
  const bios = found(await host.rom({ nic: 'e1000', kind: 'bios', arch: 'x86_64', interface: 'uefi' })).path;
  mkdirSync(join(place.folder, 'mine'));
  const made = await netboot('rom', 'make', '--id', '8086:100e', '--bios', bios, '--out', 'mine/own.rom');
  expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('for 8086:100e') });

  place.write('mine/set.json', { name: 'mine', roms: [{ nic: 'e1000', kind: 'full', path: 'own.rom' }] });
  const matrix = place.write('matrix.json', {
    name: 'own',
    groups: [
      { name: 'rom', arch: 'x86_64', firmware: 'seabios', nic: ['e1000', 'tulip'], rom: 'full', configuration: 2 },
    ],
  });
  const run = await netboot('run', '--matrix', matrix, '--set', './mine', '--out', 'out', '--accel', 'tcg');
  const { cases } = runResultSchema.parse(JSON.parse(readFileSync(join(place.folder, 'out/results.json'), 'utf8')));
  expect(Object.fromEntries(cases.map(({ id, verdict }) => [id, verdict.status]))).toEqual({
    'rom.x86_64.pc.seabios@mine.e1000.full': 'passed',
    'rom.x86_64.pc.seabios@mine.tulip.full': 'not-run',
  });
  expect(run).toMatchObject({ exitCode: 3, stdout: expect.stringContaining('no such ROM (full, tulip) in set mine') });
  const tolerant = await netboot(
    ...['run', '--matrix', matrix, '--set', './mine', '--out', 'tolerant', '--accel', 'tcg', '--allow-not-run'],
  );
  expect(tolerant.exitCode).toBe(0);
});
