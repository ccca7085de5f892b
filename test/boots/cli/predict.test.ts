import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { netbootWith } from '../../cli/netboot.ts';
import { folderOfFile } from '../../temporary-folder.ts';

const folder = folderOfFile();
beforeAll(async () => {
  // Neither QEMU nor a package manager can be found.
  vi.stubEnv('PATH', folder);
  const matrix = {
    name: 'mine',
    groups: [
      { name: 'bios', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: ['bundled', 'none'], configuration: 2 },
      { name: 'uefi', arch: 'x86_64', firmware: 'ovmf', nic: 'e1000', rom: ['none', 'vendor-snp'] },
      { name: 'any', arch: 'x86_64', firmware: 'ovmf', nic: ['pcnet', 'offered'], rom: 'none' },
      { name: 'more', arch: 'x86_64', firmware: 'ovmf', nic: 'offered', rom: 'none' },
    ],
  };
  await writeFile(join(folder, 'mine.json'), JSON.stringify(matrix));
});
afterAll(() => {
  vi.unstubAllEnvs();
});

async function netboot(...argv: string[]): Promise<{ code: number; out: string }> {
  const env = { ...process.env, NETBOOT_CACHE: join(folder, 'cache') };
  const { code, out, err } = await netbootWith(env, ...argv, '--matrix', join(folder, 'mine.json'));
  return { code, out: out + err };
}

describe('a host without QEMU', () => {
  it('predicts with reasons, and says where that differs from what is declared and expected', async () => {
    const { code, out } = await netboot('predict');
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toEqual([
      'bios.x86_64.pc.seabios.e1000.bundled: configuration 2, reaches its last stage',
      '    the BIOS image is a full iPXE',
      'bios.x86_64.pc.seabios.e1000.none: no configuration, declared 2, stops at dhcp, expected to reach it',
      '    SeaBIOS boots from a NIC only through a BIOS image in its option ROM',
      '    not seen in the files but known: https://github.com/coreboot/seabios/blob/master/src/optionroms.c',
      'uefi.x86_64.q35.ovmf.e1000.none: no configuration, stops at dhcp, expected to reach it',
      '    the firmware has no driver for this NIC, and no ROM image suits it',
      'uefi.x86_64.q35.ovmf.e1000.vendor-snp: no prediction: no such ROM (vendor-snp, e1000) in set host',
      'any.x86_64.q35.ovmf.pcnet.none: no configuration, stops at dhcp, expected to reach it',
      '    the firmware has no driver for this NIC, and no ROM image suits it',
    ]);
  });

  it('predicts as JSON', async () => {
    const { out } = await netboot('predict', 'bios', '--json');
    expect(JSON.parse(out)).toEqual([
      expect.objectContaining({ id: 'bios.x86_64.pc.seabios.e1000.bundled', configuration: 2, stopsAt: null }),
      expect.objectContaining({
        declaredConfiguration: 2,
        configuration: null,
        stopsAt: 'dhcp',
        reasons: [expect.any(String)],
      }),
    ]);
  });

  it('lists the cells, says that none of them runs here, and shows their plans', async () => {
    const lines = (await netboot('list', 'any', 'bios')).out.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('3 of 3 cannot be run here, which fails a run of them');
    expect(lines.slice(0, -1)).toHaveLength(3);
    for (const line of lines.slice(0, -1)) expect(line).toContain('(not run here: qemu-system-x86_64 is not installed');
    expect((await netboot('show', 'any*')).out).toContain('qemu-system-x86_64');
  });
});
