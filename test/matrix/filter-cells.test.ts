import { describe, expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { type CellFilter, filterCells } from '../../harness/matrix/filter-cells.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import { parseShard, takeShard } from '../../harness/matrix/shard.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { usualLength } from '../../harness/run/case-lengths.ts';
import defaultMatrix from '../../scenarios/default.ts';
import { recordedLengths } from '../../scenarios/recorded-lengths.ts';

const { cells } = expandMatrix(
  parseMatrix(
    {
      name: 'm',
      groups: [
        { name: 'bios', arch: 'x86_64', firmware: 'seabios', machine: ['pc', 'q35'], nic: ['e1000', 'pcnet'] },
        { name: 'arm', arch: 'aarch64', nic: 'virtio-net-pci', rom: ['none', { kind: 'snp', set: 'forky' }] },
      ],
    },
    'm',
  ),
);
const chosen = (filter: CellFilter) => filterCells(cells, filter).map(({ id }) => id);

it('filters by axis, by id glob, by group, and by all at once', () => {
  expect(chosen({})).toHaveLength(6);
  expect(chosen({ axes: { nic: ['e1000'], machine: ['q35'] } })).toEqual(['bios.x86_64.q35.seabios.e1000.bundled']);
  expect(chosen({ axes: { nic: ['e1000', 'pcnet'] } })).toHaveLength(4);
  expect(chosen({ axes: { rom: ['snp@*'] } })).toEqual(['arm.aarch64.virt.aavmf.virtio-net-pci.snp@forky']);
  expect(chosen({ ids: ['arm'] })).toHaveLength(2);
  expect(chosen({ ids: ['*.pcnet.*', 'arm.*.none'] })).toHaveLength(3);
  expect(chosen({ axes: { ipVersion: ['4'] } })).toHaveLength(6);
});

it('takes dots of an id literally', () => {
  expect(() => chosen({ ids: ['bios.x86_64.pc.seabios.e1000xbundled'] })).toThrow(/no case matches/);
});

it('refuses what matches nothing, and says what there is', () => {
  expect(() => chosen({ axes: { nic: ['e100'] } })).toThrow('nic: no case has "e100"; did you mean "e1000"?');
  expect(() => chosen({ axes: { nic: ['e100'] } })).toThrow(
    expect.objectContaining({ code: 'usage', hint: 'Known here: e1000, pcnet, virtio-net-pci.' }),
  );
  expect(() => chosen({ ids: ['bioss'] })).toThrow('no case matches "bioss"; did you mean "bios"?');
  expect(() => chosen({ ids: ['arm'], axes: { nic: ['e1000'] } })).toThrow(/no case matches all of them/);
});

describe('shards', () => {
  const shardsOf = (items: readonly Scenario[], count: number, lengthOf: (cell: Scenario) => number) =>
    Array.from({ length: count }, (_, nth) => takeShard(items, { index: nth + 1, count }, lengthOf));
  const defaults = expandMatrix(parseMatrix(defaultMatrix, 'default')).cells;
  const usualMs = (cell: Scenario) => usualLength(cell, recordedLengths).durationMs;
  /** The longest of the shards, as a multiple of their mean. */
  function unevenness(shards: readonly Scenario[][], lengthOf: (cell: Scenario) => number): number {
    const lengths = shards.map((shard) => shard.reduce((sum, cell) => sum + lengthOf(cell), 0));
    return (Math.max(...lengths) * lengths.length) / lengths.reduce((sum, length) => sum + length, 0);
  }

  it.each([1, 2, 3, 4, 7])('of the default matrix, %i of them: disjoint, complete and in order', (count) => {
    const shards = shardsOf(defaults, count, usualMs);
    expect(shards.flat().toSorted((a, b) => defaults.indexOf(a) - defaults.indexOf(b))).toEqual(defaults);
    for (const shard of shards) expect(shard).toEqual(defaults.filter((cell) => shard.includes(cell)));
  });

  it.each([2, 3, 4, 6, 8])('of the default matrix, %i of them: the longest is within 10 % of the mean', (count) => {
    const shards = shardsOf(defaults, count, usualMs);
    expect(unevenness(shards, usualMs)).toBeLessThan(1.1);
    // As the stored run took, which had not all of the cells, and in which some were not run.
    const stored = shardsOf(
      defaults.filter(({ id }) => Object.hasOwn(recordedLengths, id)),
      count,
      usualMs,
    );
    expect(unevenness(stored, ({ id }) => recordedLengths[id]?.[0] ?? 0)).toBeLessThan(1.1);
  });

  it('are even too for cells of which only the kind is known', () => {
    const shards = shardsOf(defaults, 4, (cell) => usualLength(cell).durationMs);
    expect(unevenness(shards, usualMs)).toBeLessThan(1.2);
  });

  it('keep guests of the same server together', () => {
    const provisioner = { command: ['dnsmasq'], serves: ['dhcp' as const], scope: 'group' as const };
    const sharing = cells.map((cell) => (cell.group === 'bios' ? { ...cell, provisioner } : cell));
    const shards = shardsOf(sharing, 3, () => 1);
    const together = shards.map((shard) => shard.filter(({ group }) => group === 'bios').length);
    expect(together.toSorted()).toEqual([0, 0, cells.filter(({ group }) => group === 'bios').length]);
    expect(shards.flat()).toHaveLength(sharing.length);
  });

  it('do not depend on the order of equals', () => {
    const same = cells.map((cell) => ({ ...cell }));
    const ids = (items: readonly Scenario[]) => takeShard(items, { index: 1, count: 2 }, () => 1).map(({ id }) => id);
    expect(ids(same.toReversed()).toSorted()).toEqual(ids(cells).toSorted());
  });
});

it('parses shards', () => {
  expect(parseShard('2/3')).toEqual({ index: 2, count: 3 });
  for (const bad of ['0/3', '4/3', '1', '1/0', 'a/b', '-1/2', ''])
    expect(() => parseShard(bad)).toThrow(/--shard: expected i\/n/);
});
