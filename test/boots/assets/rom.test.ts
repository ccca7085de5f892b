import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { extractDriver } from '../../../harness/assets/derive/extract-drivers.ts';
import { createBudget } from '../../../harness/assets/inspect/budget.ts';
import { inspectFile } from '../../../harness/assets/inspect/inspect.ts';
import { inspectOptionRom } from '../../../harness/assets/inspect/option-rom.ts';
import { inspectPe } from '../../../harness/assets/inspect/pe.ts';
import { makeOptionRom, withPciIds } from '../../../harness/assets/rom/make.ts';
import { pciIdOf } from '../../../harness/assets/rom/pci-ids.ts';
import { type ArtefactSet, isMissing } from '../../../harness/assets/sets/artefact-set.ts';
import type { Arch, FirmwareInterface, RomKind } from '../../../harness/model/axes.ts';
import { found } from '../../assets/found.ts';
import { folderOfFile } from '../../temporary-folder.ts';
import { hostSet } from './host.ts';

const cacheDir = folderOfFile();
let host: ArtefactSet;
let application: Buffer;
let biosRom: Buffer;
beforeAll(async () => {
  host = await hostSet(cacheDir);
  application = await readFile(found(host.nbp({ secondStage: 'snponly', arch: 'x86_64', interface: 'uefi' })).path);
  biosRom = await readFile(
    found(await host.rom({ nic: 'rtl8139', kind: 'bios', arch: 'x86_64', interface: 'uefi' })).path,
  );
});

const look = (rom: Buffer) => inspectOptionRom(rom, createBudget());

describe('makeOptionRom', () => {
  test('one EFI image: a boot service driver for the machine of its PE header', () => {
    const rom = makeOptionRom({ images: [{ kind: 'efi', pe: application }], vendorId: 0x1af4, deviceId: 0x1041 });
    expect(rom.length % 512).toBe(0);
    expect(look(rom)).toMatchObject({
      problems: [],
      trailingBytes: 0,
      images: [
        {
          codeTypeName: 'EFI',
          vendorId: 0x1af4,
          deviceId: 0x1041,
          classCode: 0x020000,
          lastImage: true,
          efi: { machineName: 'X64', subsystem: 11, compressed: false, pe: inspectPe(application), problem: null },
        },
      ],
    });
  });

  test('ids come from the BIOS image, and the subsystem from the PE image, where none is given', () => {
    const runtime = Buffer.from(application);
    const subsystemAt = runtime.readUInt32LE(0x3c) + 24 + 68;
    runtime.writeUInt16LE(12, subsystemAt);
    const images = [
      { kind: 'bios', image: biosRom },
      { kind: 'efi', pe: application },
      { kind: 'efi', pe: runtime },
    ] as const;
    const ids = { vendorId: 0x10ec, deviceId: 0x8139 };
    expect(look(makeOptionRom({ images }))).toMatchObject({
      problems: [],
      images: [
        { ...ids, bios: { checksumGood: true } },
        { ...ids, efi: { subsystem: 11 } },
        { ...ids, efi: { subsystem: 12 } },
      ],
    });
    expect(() => makeOptionRom({ images: images.slice(1) })).toThrow(/no PCI ids were given/);
  });

  test('a combined ROM: BIOS image with new ids and a good checksum, then the EFI image', () => {
    const rom = makeOptionRom({
      images: [
        { kind: 'bios', image: biosRom },
        { kind: 'efi', pe: application, subsystem: 10 },
      ],
      vendorId: 0x8086,
      deviceId: 0x10d3,
      classCode: 0x028000,
    });
    expect(look(rom)).toMatchObject({
      problems: [],
      images: [
        {
          vendorId: 0x8086,
          deviceId: 0x10d3,
          deviceIds: [],
          classCode: 0x028000,
          lastImage: false,
          bios: { checksumGood: true },
        },
        { vendorId: 0x8086, lastImage: true, efi: { subsystem: 10 } },
      ],
    });
  });

  test.each([
    ['no image', () => ({ images: [], vendorId: 1, deviceId: 1 })],
    [
      'an EFI image that is not one',
      () => ({ images: [{ kind: 'efi' as const, pe: Buffer.from('hello') }], vendorId: 1, deviceId: 1 }),
    ],
    [
      'a BIOS image that is not one',
      () => ({ images: [{ kind: 'bios' as const, image: application }], vendorId: 1, deviceId: 1 }),
    ],
    [
      'an id of 17 bits',
      () => ({ images: [{ kind: 'bios' as const, image: biosRom }], vendorId: 0x10000, deviceId: 1 }),
    ],
    [
      'a subsystem of 17 bits',
      () => ({ images: [{ kind: 'efi' as const, pe: application, subsystem: 0x10000 }], vendorId: 1, deviceId: 1 }),
    ],
  ])('%s is refused', (_, recipe) => {
    expect(() => makeOptionRom(recipe())).toThrow(expect.objectContaining({ code: 'bad-file' }));
  });

  test('patched ids keep the checksum good, and right ids are left alone', () => {
    const ids = { vendorId: 0x8086, deviceId: 0x1209 };
    const patched = withPciIds(biosRom, ids);
    expect(look(patched).images[0]).toMatchObject({ ...ids, bios: { checksumGood: true } });
    expect(withPciIds(patched, ids)).toBe(patched);
  });
});

describe('extractDriver', () => {
  test.each([
    ['ovmf', 'x86_64', 'X64'],
    ['aavmf', 'aarch64', 'AA64'],
  ] as const)('%s gives up VirtioNetDxe by name and by GUID', async (firmware, arch, machineName) => {
    const image = await readFile(found(host.firmware({ firmware, arch, secureBoot: 'off' })).code as string);
    const byName = extractDriver(image, 'VirtioNetDxe');
    expect(inspectPe(byName)).toMatchObject({ machineName, subsystem: 11 });
    expect(extractDriver(image, 'a92cdb4b-82f1-4e0b-a516-8a655d371524').equals(byName)).toBe(true);
  });

  test('a driver that is missing is reported with a suggestion, and a TE image is refused', async () => {
    const image = await readFile(
      found(host.firmware({ firmware: 'aavmf', arch: 'aarch64', secureBoot: 'off' })).code as string,
    );
    expect(() => extractDriver(image, 'VirtioNet')).toThrow(
      expect.objectContaining({ code: 'bad-file', hint: 'Did you mean VirtioNetDxe?' }),
    );
    expect(() => extractDriver(image, 'PeiCore')).toThrow(/TE image/);
  });
});

describe('ROM kinds that no package ships', () => {
  const rom = (kind: RomKind, nic: string, arch: Arch, runBy: FirmwareInterface = 'uefi') =>
    host.rom({ kind, nic, arch, interface: runBy });
  const imagesOf = async (kind: RomKind, nic: string, arch: Arch, runBy?: FirmwareInterface) => {
    const inspection = await inspectFile(found(await rom(kind, nic, arch, runBy)).path);
    if (inspection.type !== 'option-rom') throw new Error(inspection.type);
    return inspection.images;
  };

  test("vendor-snp is the firmware's own virtio driver, with the ids of the NIC", async () => {
    expect(await imagesOf('vendor-snp', 'virtio-net-pci-non-transitional', 'aarch64')).toMatchObject([
      { vendorId: 0x1af4, deviceId: 0x1041, efi: { machineName: 'AA64' }, ipxe: null },
    ]);
    const none = await rom('vendor-snp', 'e1000', 'aarch64');
    expect(isMissing(none) && none.missing).toBe('no such ROM (vendor-snp, e1000, aarch64) in set host');
  });

  test('foreign is for the other machine type, combined for both firmwares, app an application as driver', async () => {
    expect(await imagesOf('foreign', 'tulip', 'x86_64')).toMatchObject([{ efi: { machineName: 'AA64' } }]);
    expect(await imagesOf('combined', 'i82801', 'x86_64')).toMatchObject([
      { deviceId: 0x2449, bios: { checksumGood: true } },
      { deviceId: 0x2449, efi: { machineName: 'X64', problem: null } },
    ]);
    expect(await imagesOf('app', 'e1000', 'x86_64')).toMatchObject([{ efi: { subsystem: 11, pe: { subsystem: 10 } } }]);
  });

  test('a BIOS ROM given by path gets the ids that QEMU would have patched in, for SeaBIOS alone', async () => {
    expect(await imagesOf('bios', 'i82550', 'x86_64', 'bios')).toMatchObject([
      { deviceId: 0x1209, bios: { checksumGood: true } },
    ]);
    expect(await imagesOf('bios', 'i82550', 'x86_64')).toMatchObject([{ deviceId: 0x1229 }]);
  });

  test('without a cache folder they are missing', async () => {
    const none = await (await hostSet()).rom({ kind: 'app', nic: 'e1000', arch: 'x86_64', interface: 'uefi' });
    expect(isMissing(none) && none.missing).toContain('without a cache folder');
  });
});

test('virtio-net-pci is modern behind a PCI Express port and transitional elsewhere', () => {
  expect(pciIdOf('virtio-net-pci')).toEqual({ vendorId: 0x1af4, deviceId: 0x1000 });
  expect(pciIdOf('virtio-net-pci', { onExpress: true })).toEqual({ vendorId: 0x1af4, deviceId: 0x1041 });
  expect(pciIdOf('usb-net')).toBeUndefined();
});
