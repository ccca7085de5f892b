import { expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { type CellFilter, filterCells } from '../../harness/matrix/filter-cells.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import { parseShard, takeShard } from '../../harness/matrix/shard.ts';

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

it('deals shards that are disjoint, complete and even', () => {
  const ids = cells.map(({ id }) => id);
  const shards = [1, 2, 3, 4].map((index) => takeShard(ids, { index, count: 4 }));
  expect(shards.flat().sort()).toEqual([...ids].sort());
  expect(shards.map((shard) => shard.length)).toEqual([2, 2, 1, 1]);
});

it('parses shards', () => {
  expect(parseShard('2/3')).toEqual({ index: 2, count: 3 });
  for (const bad of ['0/3', '4/3', '1', '1/0', 'a/b', '-1/2', ''])
    expect(() => parseShard(bad)).toThrow(/--shard: expected i\/n/);
});
