import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { interfaceOf } from '../../../harness/assets/inspect/firmware-interface.ts';
import { type Inspection, inspectBytes, inspectFile } from '../../../harness/assets/inspect/inspect.ts';
import type { ArtefactSet } from '../../../harness/assets/sets/artefact-set.ts';
import { loadSets } from '../../../harness/assets/sets/sets.ts';
import { found } from '../../assets/found.ts';
import { hostSet } from './host.ts';

let host: ArtefactSet;
beforeAll(async () => {
  host = await hostSet();
});

const romOf = (nic: string, kind: 'bundled' | 'bios') =>
  host.rom({ nic, kind, arch: 'x86_64', interface: 'uefi' }).then(found);

function as<T extends Inspection['type']>(type: T, result: Inspection): Extract<Inspection, { type: T }> {
  expect(result.type).toBe(type);
  return result as Extract<Inspection, { type: T }>;
}

describe('option ROMs', () => {
  test('a combined ROM has a BIOS image and an EFI image, with the version of its package', async () => {
    const { path, package: source } = await romOf('e1000', 'bundled');
    const { images, problems } = as('option-rom', await inspectFile(path));
    expect(problems).toEqual([]);
    expect(images).toMatchObject([
      { codeTypeName: 'BIOS', vendorId: 0x8086, deviceId: 0x100e, classCode: 0x020000, lastImage: false, efi: null },
      { codeTypeName: 'EFI', vendorId: 0x8086, deviceId: 0x100e, lastImage: true, bios: null },
    ]);
    expect(images[0]?.bios).toMatchObject({
      checksumGood: true,
      undi: true,
      pnp: { product: 'iPXE', bootEntry: true },
    });
    expect(images[1]?.efi).toMatchObject({
      machineName: 'X64',
      subsystem: 11,
      pe: { machineName: 'X64' },
      problem: null,
    });
    expect(source?.version.startsWith(images[1]?.ipxe?.version ?? '?')).toBe(true);
  });

  test('one flipped byte breaks the checksum', async () => {
    const rom = await readFile((await romOf('rtl8139', 'bios')).path);
    rom[1000] = (rom[1000] as number) ^ 1;
    expect(as('option-rom', inspectBytes(rom)).images[0]?.bios?.checksumGood).toBe(false);
  });

  test('a ROM cut inside its second image keeps the first, and says where it broke', async () => {
    const rom = await readFile((await romOf('e1000', 'bundled')).path);
    const { images, problems } = as('option-rom', inspectBytes(rom.subarray(0, rom.length - 1000)));
    expect(images).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/^image 2 at \d+: the image is truncated/)]);
  });
});

describe("other suites' ROMs", async () => {
  const cacheDir = new URL('../../../.cache', import.meta.url).pathname;
  const sets = await loadSets({ cacheDir, setDirs: [] });
  // Set-up fetches them; where it could not, there is nothing to read.
  test.skipIf(!sets.names.includes('forky'))(
    'a compressed EFI image is opened: iPXE cut down to a driver',
    async () => {
      const forky = found(await sets.get('forky'));
      const rom = found(await forky.rom({ nic: 'e1000', kind: 'snp', arch: 'x86_64', interface: 'uefi' }));
      const efi = as('option-rom', await inspectFile(rom.path)).images.at(-1);
      expect(efi).toMatchObject({
        efi: { compressed: true, pe: { machineName: 'X64' }, problem: null },
        ipxe: { role: 'driver', version: rom.package?.version },
      });
    },
  );
});

describe('firmware', () => {
  test('BIOS and UEFI are known apart', async () => {
    for (const [firmware, arch, runBy] of [
      ['ovmf', 'x86_64', 'uefi'],
      ['aavmf', 'aarch64', 'uefi'],
      ['seabios', 'x86_64', 'bios'],
    ] as const) {
      const { code, builtIn } = found(host.firmware({ firmware, arch, secureBoot: 'off' }));
      expect(interfaceOf(await inspectFile((code ?? builtIn) as string))).toBe(runBy);
    }
  });
});

describe('UEFI firmware', () => {
  test.each([
    ['ovmf', 'x86_64', ['SnpDxe', 'MnpDxe', 'UefiPxeBcDxe', 'HttpBootDxe']],
    // AAVMF drives SNP interfaces only: it has no driver for UNDI ones.
    ['aavmf', 'aarch64', ['MnpDxe', 'UefiPxeBcDxe', 'HttpBootDxe']],
  ] as const)('%s: its drivers are read out of the compressed volume', async (firmware, arch, expected) => {
    const { code } = found(host.firmware({ firmware, arch, secureBoot: 'off' }));
    const { drivers, compressions, problems } = as('firmware', await inspectFile(code as string));
    expect(problems).toEqual([]);
    expect(compressions).toContain('LZMA');
    expect(drivers.filter(({ network }) => network === 'nic').map(({ name }) => name)).toEqual(['VirtioNetDxe']);
    expect(drivers.map(({ name }) => name)).toEqual(expect.arrayContaining([...expected]));
  });

  test('a variable store is a volume without drivers', async () => {
    const { vars } = found(host.firmware({ firmware: 'ovmf', arch: 'x86_64', secureBoot: 'off' }));
    expect(as('firmware', await inspectFile(vars as string))).toMatchObject({
      volumes: [{ fileSystem: 'variable store' }],
      drivers: [],
    });
  });
});

describe('network boot programs', () => {
  test('snponly is an unsigned EFI application with an iPXE in it', async () => {
    const { path, package: source } = found(host.nbp({ secondStage: 'snponly', arch: 'x86_64', interface: 'uefi' }));
    const { pe, ipxe } = as('pe', await inspectFile(path));
    expect(pe).toMatchObject({ machineName: 'X64', subsystemName: 'application', signatures: [] });
    expect(ipxe).toMatchObject({ role: 'full', features: expect.arrayContaining(['HTTP', 'TFTP', 'DNS']) });
    expect(source?.version.startsWith(ipxe?.version ?? '?')).toBe(true);
  });

  test('undionly is recognised by its strings', async () => {
    const { path } = found(host.nbp({ secondStage: 'undionly', arch: 'x86_64', interface: 'bios' }));
    expect(as('bios-nbp', await inspectFile(path))).toMatchObject({ program: 'iPXE' });
  });
});
