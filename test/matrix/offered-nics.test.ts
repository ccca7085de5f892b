import { describe, expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { asksForOffered, withOfferedNics } from '../../harness/matrix/offered-nics.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';

const group = {
  name: 'all',
  arch: 'aarch64',
  nic: 'offered',
  rom: 'none',
  secondStage: 'ipxe',
  exclude: [{ when: { nic: ['e1000', 'gone-since'] }, reason: 'known' }],
};
const matrix = parseMatrix({ name: 'm', groups: [group] }, 'm');
const nicsOf = (aarch64: string[]) => ({ x86_64: ['x86-only'], aarch64 });

describe('NICs that QEMU offers', () => {
  it('are asked for by name', () => {
    expect(asksForOffered(matrix)).toBe(true);
    expect(asksForOffered(parseMatrix({ name: 'm', groups: [{ ...group, nic: 'e1000', exclude: [] }] }, 'm'))).toBe(
      false,
    );
  });

  it("become cells, a newer QEMU's among them, but for those left out", () => {
    const { cells, excluded } = expandMatrix(withOfferedNics(matrix, nicsOf(['e1000', 'brand-new'])));
    expect(cells.map(({ nic }) => nic)).toEqual(['brand-new']);
    expect(excluded.map(({ axes }) => axes.nic)).toEqual(['e1000']);
  });

  it('leave rules about NICs that this QEMU lacks without a say, not without a match', () => {
    const { cells } = expandMatrix(withOfferedNics(matrix, nicsOf(['brand-new'])));
    expect(cells.map(({ nic }) => nic)).toEqual(['brand-new']);
  });

  it('are no cells where there is no QEMU to ask', () => {
    expect(withOfferedNics(matrix, nicsOf([])).groups).toEqual([]);
  });
});
