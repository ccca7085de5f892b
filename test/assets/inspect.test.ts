import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { describeInspection, identityOf } from '../../harness/assets/inspect/describe.ts';
import { type Inspection, inspectBytes, inspectFile } from '../../harness/assets/inspect/inspect.ts';
import { readBounded } from '../../harness/assets/inspect/read-bounded.ts';
import { createInspections } from '../../harness/assets/inspections.ts';
import type { ArtefactSet } from '../../harness/assets/sets/artefact-set.ts';
import { loadSets } from '../../harness/assets/sets/sets.ts';
import { found, hostSet } from './host.ts';

let host: ArtefactSet;
beforeAll(async () => {
  host = await hostSet();
});

const romOf = (nic: string, kind: 'bundled' | 'bios') =>
  host.rom({ nic, kind, arch: 'x86_64', firmware: 'ovmf' }).then(found);

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

  test('one flipped octet breaks the checksum', async () => {
    const rom = await readFile((await romOf('rtl8139', 'bios')).path);
    rom[1000] = (rom[1000] as number) ^ 1;
    expect(as('option-rom', inspectBytes(rom)).images[0]?.bios?.checksumGood).toBe(false);
  });

  test('a ROM cut inside its second image keeps the first, and says where it broke', async () => {
    const rom = await readFile((await romOf('e1000', 'bundled')).path);
    const { images, problems } = as('option-rom', inspectBytes(rom.subarray(0, rom.length - 1000)));
    expect(images).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/^image 2 at \d+: the image is cut short/)]);
  });
});

describe("other suites' ROMs", async () => {
  const cacheDir = new URL('../../.cache', import.meta.url).pathname;
  const sets = await loadSets({ cacheDir, setDirs: [] });
  // Set-up fetches them; where it could not, there is nothing to read.
  test.skipIf(!sets.names.includes('forky'))(
    'a compressed EFI image is opened: iPXE cut down to a driver',
    async () => {
      const forky = found(await sets.get('forky'));
      const rom = found(await forky.rom({ nic: 'e1000', kind: 'snp', arch: 'x86_64', firmware: 'ovmf' }));
      const efi = as('option-rom', await inspectFile(rom.path)).images.at(-1);
      expect(efi).toMatchObject({
        efi: { compressed: true, pe: { machineName: 'X64' }, problem: null },
        ipxe: { role: 'driver', version: rom.package?.version },
      });
    },
  );
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
    const { path, package: source } = found(host.nbp({ secondStage: 'snponly', arch: 'x86_64', firmware: 'ovmf' }));
    const { pe, ipxe } = as('pe', await inspectFile(path));
    expect(pe).toMatchObject({ machineName: 'X64', subsystemName: 'application', signatures: [] });
    expect(ipxe).toMatchObject({ role: 'full', features: expect.arrayContaining(['HTTP', 'TFTP', 'DNS']) });
    expect(source?.version.startsWith(ipxe?.version ?? '?')).toBe(true);
  });

  test('undionly is told by its strings', async () => {
    const { path } = found(host.nbp({ secondStage: 'undionly', arch: 'x86_64', firmware: 'seabios' }));
    expect(as('bios-nbp', await inspectFile(path))).toMatchObject({ program: 'iPXE' });
  });
});

/** A bzImage header with nothing behind it (Documentation/arch/x86/boot.rst). */
function bzImage(): Buffer {
  const image = Buffer.alloc(0x1000);
  image.writeUInt16LE(0xaa55, 0x1fe);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x020f, 0x206);
  image.writeUInt16LE(0x600, 0x20e);
  image.write('6.1.0-test (someone@somewhere)\0', 0x800, 'latin1');
  return image;
}

/** An arm64 Image header (Documentation/arch/arm64/booting.rst), with the kernel's banner. */
function arm64Image(): Buffer {
  const image = Buffer.alloc(0x400);
  image.writeUInt32LE(0x200000, 16);
  image.write('ARM\x64', 0x38, 'latin1');
  image.write('Linux version 6.1.0-arm (x)\n\0', 0x100, 'latin1');
  return image;
}

describe('kernels', () => {
  test('an x86 kernel tells its version and boot protocol', () => {
    expect(as('kernel', inspectBytes(bzImage()))).toMatchObject({
      format: 'bzImage',
      version: '6.1.0-test (someone@somewhere)',
      bootProtocol: '2.15',
      pe: null,
    });
  });

  test('an arm64 kernel tells its size in memory and its banner', () => {
    expect(as('kernel', inspectBytes(arm64Image()))).toMatchObject({
      format: 'arm64 Image',
      version: expect.stringMatching(/^6\.1\.0-arm/),
      imageBytes: 0x200000,
    });
  });
});

describe('anything else', () => {
  test.each([
    ['an empty file', Buffer.alloc(0), 'an empty file'],
    ['gzip', Buffer.from('1f8b0800', 'hex'), 'gzip'],
    ['qcow2', Buffer.from('514649fb00000003', 'hex'), 'qcow2'],
    ['text', Buffer.from('hello'), 'nothing that is known here'],
  ])('%s is told as what it seems', (_, bytes, text) => {
    expect(describeInspection(inspectBytes(bytes)).join('\n')).toContain(text);
  });

  test('a PE image cut inside its headers is broken, and why', () => {
    const pe = Buffer.alloc(0x60);
    pe.write('MZ', 0, 'latin1');
    pe.writeUInt32LE(0x40, 0x3c);
    pe.write('PE\0\0', 0x40, 'latin1');
    expect(as('broken', inspectBytes(pe))).toMatchObject({
      looksLike: 'a PE image',
      problem: expect.stringContaining('cut short'),
    });
  });

  test('a name that would drive a terminal comes out harmless', () => {
    const image = bzImage();
    image.write('\x1b[2J\x07evil\0', 0x800, 'latin1');
    const text = [...describeInspection(inspectBytes(image)), identityOf(inspectBytes(image))].join('');
    expect(text).toContain('evil');
    expect(text).toMatch(/^[\x20-\x7e]*$/);
  });

  test('a file that cannot be read, or is too large to be worked on, is a clear error', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inspect-'));
    try {
      await writeFile(join(folder, 'huge'), '');
      await truncate(join(folder, 'huge'), 2 ** 32);
      for (const [name, why] of [
        ['none', 'ENOENT'],
        ['.', 'not a regular file'],
        ['huge', 'at most'],
      ] as const) {
        await expect(readBounded(join(folder, name))).rejects.toMatchObject({
          code: 'bad-file',
          message: expect.stringContaining(why),
        });
      }
      expect(await inspectFile(join(folder, 'huge'))).toMatchObject({
        bytes: 2 ** 32,
        guess: expect.stringContaining('too large'),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a file that could not be looked into is looked into again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inspections-'));
    const path = join(folder, 'script');
    const inspections = createInspections({ fingerprints: { of: async () => ({ sha256: 'a', bytes: 0 }) } });
    await expect(inspections.of(path)).rejects.toMatchObject({ code: 'bad-file' });
    await writeFile(path, '#!ipxe\n');
    expect(await inspections.of(path)).toMatchObject({ guess: 'a script' });
    await rm(folder, { recursive: true });
  });

  test('an inspection is remembered by content, across runs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inspect-'));
    try {
      const path = join(folder, 'kernel');
      const cacheFile = join(folder, 'inspections.json');
      await writeFile(path, bzImage());
      const first = createInspections({ fingerprints: createFingerprints(), cacheFile });
      const answer = await first.of(path);
      await first.save();
      await writeFile(cacheFile, (await readFile(cacheFile, 'utf8')).replace('6.1.0-test', 'remembered'));
      expect(answer).toMatchObject({ version: expect.stringContaining('6.1.0-test') });
      const second = createInspections({ fingerprints: createFingerprints(), cacheFile });
      expect(await second.of(path)).toMatchObject({ version: expect.stringContaining('remembered') });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
