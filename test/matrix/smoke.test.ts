import { describe, expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import { smokeCells } from '../../harness/matrix/smoke.ts';
import { usualLength } from '../../harness/run/case-lengths.ts';
import defaultMatrix from '../../scenarios/default.ts';
import { recordedLengths } from '../../scenarios/recorded-lengths.ts';

const matrixOf = (groups: object[]) => parseMatrix({ name: 'm', groups }, 'm');
const bios = { arch: 'x86_64', firmware: 'seabios', nic: ['e1000', 'pcnet'] };
const smokeOf = (groups: object[]) => {
  const matrix = matrixOf(groups);
  return smokeCells(matrix, expandMatrix(matrix).cells).map(({ id }) => id);
};

describe('the smoke cells of a matrix', () => {
  it('are those of groups with the tag, or the cells that its condition names', () => {
    expect(
      smokeOf([
        { ...bios, name: 'all', tags: ['smoke'] },
        { ...bios, name: 'some', tags: ['other', { tag: 'smoke', when: { nic: 'pcnet' } }] },
        { ...bios, name: 'none', tags: ['other', { tag: 'other', when: { nic: 'pcnet' } }] },
      ]),
    ).toEqual([
      'all.x86_64.pc.seabios.e1000.bundled',
      'all.x86_64.pc.seabios.pcnet.bundled',
      'some.x86_64.pc.seabios.pcnet.bundled',
    ]);
  });

  it('must exist, and so must what a condition names', () => {
    expect(() => smokeOf([{ ...bios, name: 'none' }])).toThrow(/no case of the matrix "m" is tagged "smoke"/);
    expect(() => matrixOf([{ ...bios, name: 'a', tags: [{ tag: 'smoke', when: { nic: 'tulip' } }] }])).toThrow(
      /tags\[0\]\.when: .* matches no case of this group/,
    );
  });
});

describe('the smoke cells of the default matrix', () => {
  const matrix = parseMatrix(defaultMatrix, 'default');
  const cells = smokeCells(matrix, expandMatrix(matrix).cells);

  it('are about twenty, one of a group', () => {
    expect(cells.length).toBeGreaterThanOrEqual(18);
    expect(cells.length).toBeLessThanOrEqual(24);
    expect(new Set(cells.map(({ group }) => group)).size).toBe(cells.length);
  });

  it('show every configuration, architecture, IP version, payload of the quick kinds, transport, and a stop of each kind', () => {
    const valuesOf = (of: (cell: (typeof cells)[number]) => unknown) => new Set(cells.map(of));
    for (const configuration of [1, 2, 3, 4, 5, 6])
      expect(valuesOf((cell) => cell.configuration)).toContain(configuration);
    for (const arch of ['x86_64', 'aarch64']) expect(valuesOf((cell) => cell.arch)).toContain(arch);
    for (const version of [4, 6]) expect(valuesOf((cell) => cell.ipVersion)).toContain(version);
    for (const payload of ['script', 'linux', 'iscsi']) expect(valuesOf((cell) => cell.payload)).toContain(payload);
    const transports = JSON.stringify([...valuesOf((cell) => cell.transport)]);
    for (const transport of ['tftp', 'http', 'https', 'nfs']) expect(transports).toContain(`"${transport}"`);
    for (const stage of ['dhcp', 'nbp-fetch', 'config'])
      expect(valuesOf((cell) => ('stopsAt' in cell.expect ? cell.expect.stopsAt : ''))).toContain(stage);
    expect(cells.some(({ secureBoot }) => secureBoot !== 'off')).toBe(true);
  });

  it('are quick on two cores, by what they took once', () => {
    const cpuMs = cells.reduce((sum, cell) => sum + usualLength(cell, recordedLengths).guestCpuMs, 0);
    expect(cpuMs / 2).toBeLessThan(90_000);
  });
});
