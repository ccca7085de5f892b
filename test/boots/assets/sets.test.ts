import { describe, expect, test } from 'vitest';
import { isMissing } from '../../../harness/assets/sets/artefact-set.ts';
import { found } from '../../assets/found.ts';
import { hostSet } from './host.ts';

const reasonOf = (result: object) => (isMissing(result) ? result.missing : 'found');

describe('this machine', () => {
  test('has firmware and bundled ROMs, identified by package and version', async () => {
    const host = await hostSet();
    for (const [firmware, arch] of [
      ['ovmf', 'x86_64'],
      ['aavmf', 'aarch64'],
    ] as const) {
      const { code, vars } = found(host.firmware({ firmware, arch, secureBoot: 'off' }));
      expect([code, vars]).toEqual([expect.stringContaining('CODE'), expect.stringContaining('VARS')]);
    }
    const rom = found(await host.rom({ nic: 'rtl8139', kind: 'bundled', arch: 'x86_64', interface: 'bios' }));
    expect(rom).toMatchObject({ byQemu: true, package: { name: 'ipxe-qemu', version: expect.any(String) } });
  });

  test('the i8255x models share a BIOS ROM, and a NIC without one has a reason', async () => {
    const host = await hostSet();
    const bundled = (nic: string) => host.rom({ nic, kind: 'bundled', arch: 'x86_64', interface: 'bios' });
    expect(found(await bundled('i82559c')).path).toMatch(/pxe-eepro100\.rom$/);
    expect(reasonOf(await bundled('tulip'))).toBe('no such ROM (bundled, tulip) in set host');
  });

  test('what QEMU says of its default ROM goes before the table', async () => {
    const host = await hostSet();
    const query = { nic: 'new-nic', kind: 'bundled', arch: 'x86_64', interface: 'bios' } as const;
    expect(found(await host.rom({ ...query, defaultRom: 'efi-e1000e.rom' })).path).toMatch(/efi-e1000e\.rom$/);
    expect(reasonOf(await host.rom({ ...query, nic: 'e1000', defaultRom: '' }))).toContain('no such ROM');
  });
});
