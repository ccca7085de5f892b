import { expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import { bugReport } from '../documented.ts';

it('the bug report of the README is a matrix of one case', () => {
  const { cells } = expandMatrix(parseMatrix(JSON.parse(bugReport()), 'README.md'));
  expect(cells.map(({ id }) => id)).toEqual(['no-43.x86_64.q35.ovmf.virtio-net-pci.none.snponly']);
  expect(cells[0]?.boot?.[1]?.options).toHaveLength(2);
});
