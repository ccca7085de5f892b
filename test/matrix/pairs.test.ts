import { describe, expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { choosePairs } from '../../harness/matrix/pairs.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';

type Cell = Record<string, number>;

/** Every combination of `sizes[i]` values for axis `i`. */
function product(sizes: readonly number[]): Cell[] {
  return sizes.reduce<Cell[]>(
    (cells, size, axis) =>
      cells.flatMap((cell) => Array.from({ length: size }, (_, value) => ({ ...cell, [`a${axis}`]: value }))),
    [{}],
  );
}

function pairsOf(cells: readonly Cell[], axes: readonly string[]): Set<string> {
  return new Set(
    cells.flatMap((cell) => axes.flatMap((a, i) => axes.slice(i + 1).map((b) => `${a}=${cell[a]} ${b}=${cell[b]}`))),
  );
}

describe('pairs', () => {
  it.each([[[2, 2, 2, 2]], [[3, 3, 3]], [[4, 3, 2, 2]], [[5, 1, 2]]])(
    'of %j: every pair that the product has, in the order of the product, in fewer cells',
    (sizes) => {
      const all = product(sizes);
      const axes = sizes.map((_, axis) => `a${axis}`);
      const chosen = choosePairs(all, axes);
      expect(pairsOf(chosen, axes)).toEqual(pairsOf(all, axes));
      expect(chosen.length).toBeLessThanOrEqual(all.length);
      expect(chosen).toEqual(all.filter((cell) => chosen.includes(cell)));
    },
  );

  it('of four axes of three values are a ninth of their product or so', () => {
    expect(choosePairs(product([3, 3, 3, 3]), ['a0', 'a1', 'a2', 'a3']).length).toBeLessThanOrEqual(15);
  });

  it('of one axis are its values', () => {
    expect(choosePairs(product([4]), ['a0'])).toHaveLength(4);
  });
});

it('a group with pairs says how many of how many it takes, and leaves out what is excluded first', () => {
  const group = {
    name: 'g',
    arch: 'x86_64',
    firmware: 'seabios',
    nic: ['e1000', 'pcnet', 'rtl8139'],
    machine: ['pc', 'q35'],
    memoryMiB: [256, 512, 1024],
    pairs: true,
    exclude: [{ when: { nic: 'pcnet', machine: 'q35' }, reason: 'no' }],
  };
  const { cells, paired } = expandMatrix(parseMatrix({ name: 'm', groups: [group] }, 'm'));
  expect(paired).toEqual([{ group: 'g', chosen: cells.length, possible: 15 }]);
  expect(cells.length).toBeLessThan(15);
  expect(cells.some(({ nic, machine }) => nic === 'pcnet' && machine === 'q35')).toBe(false);
  expect(cells[0]?.id).toBe('g.x86_64.pc.seabios.e1000.bundled.m256');
});
