import { describe, expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { withFirmwareInterfaces } from '../../harness/matrix/firmware-files.ts';
import type { MatrixInput } from '../../harness/matrix/matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';

const found = { 'bios.bin': 'bios', 'OVMF.fd': 'uefi' } as const;
const interfaceOf = async (code: string) => (found as Record<string, 'bios' | 'uefi'>)[code];

async function cellsOf(group: Omit<MatrixInput['groups'][number], 'name' | 'arch' | 'nic'>) {
  const matrix = parseMatrix({ name: 'm', groups: [{ name: 'g', arch: 'x86_64', nic: 'e1000', ...group }] }, 'm');
  return expandMatrix(await withFirmwareInterfaces(matrix, interfaceOf));
}

describe('firmware by path', () => {
  it('goes onto the machine of its kind, and leaves out what its kind cannot do', async () => {
    const firmware = [{ code: 'bios.bin' }, { code: 'OVMF.fd' }, { code: 'odd.bin' }];
    const { cells, excluded } = await cellsOf({ firmware, secondStage: ['undionly', 'snponly'] });
    expect(cells.map(({ machine, firmware, secondStage }) => [machine, firmware, secondStage])).toEqual([
      ['pc', { code: 'bios.bin', interface: 'bios' }, 'undionly'],
      ['q35', { code: 'OVMF.fd', interface: 'uefi' }, 'snponly'],
      ['q35', { code: 'odd.bin' }, 'undionly'],
      ['q35', { code: 'odd.bin' }, 'snponly'],
    ]);
    expect(excluded.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('SeaBIOS runs none'),
      expect.stringContaining('UEFI does not offer'),
    ]);
  });

  it('is what the matrix says it is', async () => {
    const { cells } = await cellsOf({ firmware: { code: 'OVMF.fd', interface: 'bios' } });
    expect(cells).toMatchObject([{ machine: 'pc', firmware: { interface: 'bios' } }]);
  });

  it('is named by rules as the group names it', async () => {
    const expect1 = { stopsAt: 'dhcp' as const, failure: [{ rule: 'seabios-no-boot' as const }], reason: 'no ROM' };
    const { cells } = await cellsOf({
      firmware: [{ code: 'bios.bin' }, { code: 'OVMF.fd' }],
      expectations: [{ when: { firmware: { code: 'bios.bin' }, machine: 'pc' }, expect: expect1 }],
    });
    expect(cells.map((cell) => cell.expect)).toEqual([expect1, { reaches: 'last' }]);
  });
});
