import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import { vagueExpectations } from '../../harness/model/vague-expectations.ts';
import defaultMatrix from '../../scenarios/default.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { netboot } from './netboot.ts';

const folder = folderOfFile();

function matrixFile(failure: unknown): string {
  const file = join(folder, 'mine.json');
  const group = {
    name: 'mine',
    arch: 'x86_64',
    firmware: 'ovmf',
    nic: ['e1000', 'rtl8139'],
    rom: 'none',
    expect: { stopsAt: 'dhcp', failure, reason: 'r' },
  };
  writeFileSync(file, JSON.stringify({ name: 'mine', groups: [group] }));
  return file;
}

it.each([
  ['list', []],
  ['show', ['mine.*.e1000.*']],
])('%s warns of an expectation that any failure of a kind would meet', async (command, argv) => {
  const vague = await netboot(command, ...argv, '--matrix', matrixFile('pxe-error'));
  expect(vague.err).toMatch(/^warning: group "mine" expects pxe-error, whatever it says \(\d cases?\): .* "says"/m);
  const exact = await netboot(command, ...argv, '--matrix', matrixFile({ rule: 'pxe-error', says: 'PXE-E18' }));
  expect(exact.err).not.toContain('warning');
});

it('finds nothing vague in the default matrix, with --full', () => {
  const { cells } = expandMatrix(parseMatrix(defaultMatrix, 'default'));
  expect(cells.filter(({ expect: expected }) => 'failure' in expected).length).toBeGreaterThan(90);
  expect(vagueExpectations(cells)).toEqual([]);
});
