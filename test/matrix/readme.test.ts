import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';

it('the bug report of the README is a matrix of one case', async () => {
  const readme = await readFile(new URL('../../harness/matrix/README.md', import.meta.url), 'utf8');
  const [, example = ''] = /```json\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(11);
  const { cells } = expandMatrix(parseMatrix(JSON.parse(example), 'README.md'));
  expect(cells.map(({ id }) => id)).toEqual(['no-43.x86_64.q35.ovmf.virtio-net-pci.none.snponly']);
  expect(cells[0]?.boot?.[1]?.options).toHaveLength(2);
});
