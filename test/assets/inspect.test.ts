import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { describeInspection, identityOf } from '../../harness/assets/inspect/describe.ts';
import { interfaceOf } from '../../harness/assets/inspect/firmware-interface.ts';
import { type Inspection, inspectBytes, inspectFile } from '../../harness/assets/inspect/inspect.ts';
import { readBounded } from '../../harness/assets/inspect/read-bounded.ts';
import { createInspections } from '../../harness/assets/inspections.ts';
import type { FirmwareInterface } from '../../harness/model/axes.ts';
import { craftBios, craftFirmware, craftRom, craftVariables } from './crafted-files.ts';

function as<T extends Inspection['type']>(type: T, result: Inspection): Extract<Inspection, { type: T }> {
  expect(result.type).toBe(type);
  return result as Extract<Inspection, { type: T }>;
}

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
  test('an x86 kernel shows its version and boot protocol', () => {
    expect(as('kernel', inspectBytes(bzImage()))).toMatchObject({
      format: 'bzImage',
      version: '6.1.0-test (someone@somewhere)',
      bootProtocol: '2.15',
      pe: null,
    });
  });

  test('an arm64 kernel shows its size in memory and its banner', () => {
    expect(as('kernel', inspectBytes(arm64Image()))).toMatchObject({
      format: 'arm64 Image',
      version: expect.stringMatching(/^6\.1\.0-arm/),
      imageBytes: 0x200000,
    });
  });
});

describe('firmware', () => {
  test.each<[string, Buffer, FirmwareInterface | undefined]>([
    ['a legacy BIOS', craftBios().bytes, 'bios'],
    ['UEFI flash with its code', craftFirmware().bytes, 'uefi'],
    [
      'a store of variables in front of the code',
      Buffer.concat([craftVariables().bytes, craftFirmware().bytes]),
      'uefi',
    ],
    ['a store of variables alone', craftVariables().bytes, undefined],
    ['flash in a format that cannot be looked into', Buffer.from('514649fb00000003', 'hex'), 'uefi'],
    ['an option ROM', craftRom().bytes, undefined],
    ['a BIOS cut short', craftBios().bytes.subarray(0, -16), undefined],
    ['nothing known', Buffer.alloc(0x10000), undefined],
  ])('%s', (_, bytes, expected) => {
    expect(interfaceOf(inspectBytes(bytes))).toBe(expected);
  });

  test('a BIOS says whose it is and of which version', () => {
    const looked = inspectBytes(craftBios().bytes);
    expect(looked).toMatchObject({ type: 'bios', program: 'SeaBIOS', version: '1.16.2-test', date: '06/23/99' });
    expect(identityOf(looked)).toBe('BIOS firmware, SeaBIOS 1.16.2-test');
  });

  test('UEFI flash says for which machine it is built', () => {
    expect(inspectBytes(craftFirmware({ machine: 0xaa64 }).bytes)).toMatchObject({ machines: ['AA64'] });
  });
});

describe('anything else', () => {
  test.each([
    ['an empty file', Buffer.alloc(0), 'an empty file'],
    ['gzip', Buffer.from('1f8b0800', 'hex'), 'gzip'],
    ['qcow2', Buffer.from('514649fb00000003', 'hex'), 'qcow2'],
    ['text', Buffer.from('hello'), 'an unknown kind of file'],
  ])('%s is described as what it seems', (_, bytes, text) => {
    expect(describeInspection(inspectBytes(bytes)).join('\n')).toContain(text);
  });

  test('a PE image cut inside its headers is broken, and why', () => {
    const pe = Buffer.alloc(0x60);
    pe.write('MZ', 0, 'latin1');
    pe.writeUInt32LE(0x40, 0x3c);
    pe.write('PE\0\0', 0x40, 'latin1');
    expect(as('broken', inspectBytes(pe))).toMatchObject({
      looksLike: 'a PE image',
      problem: expect.stringContaining('truncated'),
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
        ['none', 'no such file or directory'],
        ['.', 'not a regular file'],
        ['huge', 'over the limit'],
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
