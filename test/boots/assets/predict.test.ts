import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { extractDriver } from '../../../harness/assets/derive/extract-drivers.ts';
import { createBudget } from '../../../harness/assets/inspect/budget.ts';
import { type FirmwareFacts, inspectFirmware, wantsRandomSource } from '../../../harness/assets/inspect/firmware.ts';
import type { IpxeFacts } from '../../../harness/assets/inspect/ipxe.ts';
import { inspectOptionRom, type OptionRomFacts, type RomImage } from '../../../harness/assets/inspect/option-rom.ts';
import { inspectPe } from '../../../harness/assets/inspect/pe.ts';
import { makeOptionRom } from '../../../harness/assets/rom/make.ts';
import { pciIdOf } from '../../../harness/assets/rom/pci-ids.ts';
import { predict } from '../../../harness/predict/predict.ts';
import type { PredictionInput } from '../../../harness/predict/prediction-input.ts';
import { found } from '../../assets/found.ts';
import { hostSet } from './host.ts';

let ovmf: FirmwareFacts;
let aavmf: FirmwareFacts;
let virtioDriver: Buffer;
let armDriver: Buffer;
let snponly: Buffer;
let biosE1000: Buffer;
let fullE1000: Buffer;

beforeAll(async () => {
  const host = await hostSet();
  const firmware = async (name: 'ovmf' | 'aavmf', arch: 'x86_64' | 'aarch64') =>
    readFile(found(host.firmware({ firmware: name, arch, secureBoot: 'off' })).code as string);
  const ovmfImage = await firmware('ovmf', 'x86_64');
  ovmf = inspectFirmware(ovmfImage, createBudget()) as FirmwareFacts;
  const aavmfImage = await firmware('aavmf', 'aarch64');
  aavmf = inspectFirmware(aavmfImage, createBudget()) as FirmwareFacts;
  armDriver = extractDriver(aavmfImage, 'VirtioNetDxe');
  virtioDriver = extractDriver(ovmfImage, 'VirtioNetDxe');
  snponly = await readFile(found(host.nbp({ secondStage: 'snponly', arch: 'x86_64', interface: 'uefi' })).path);
  biosE1000 = await readFile(
    found(await host.rom({ nic: 'e1000', kind: 'bios', arch: 'x86_64', interface: 'uefi' })).path,
  );
  fullE1000 = await readFile(
    found(await host.rom({ nic: 'e1000', kind: 'full', arch: 'x86_64', interface: 'uefi' })).path,
  );
});

const look = (rom: Buffer) => inspectOptionRom(rom, createBudget());
const wrapped = (pe: Buffer, nic: string, subsystem?: number) =>
  look(
    makeOptionRom({
      images: [{ kind: 'efi', pe, subsystem }],
      ...(pciIdOf(nic) as { vendorId: number; deviceId: number }),
    }),
  );

const uefi = (changes: Partial<PredictionInput> = {}): PredictionInput => ({
  arch: 'x86_64',
  interface: 'uefi',
  firmwareFacts: ovmf,
  nic: 'virtio-net-pci',
  rom: null,
  romByQemu: false,
  servedAsPlainPxe: false,
  secureBoot: 'off',
  randomSource: true,
  secondStage: 'snponly',
  payload: 'linux',
  nbp: null,
  stagePath: ['firmware', 'dhcp', 'nbp-fetch', 'nbp', 'nbp-dhcp', 'config', 'payload-fetch', 'kernel', 'userspace'],
  ...changes,
});
const bios = (changes: Partial<PredictionInput> = {}) =>
  uefi({ interface: 'bios', firmwareFacts: null, secondStage: 'undionly', nic: 'e1000', ...changes });

describe('UEFI', () => {
  test('without a ROM, its own driver boots virtio: configuration 6', () => {
    for (const facts of [uefi(), uefi({ arch: 'aarch64', firmwareFacts: aavmf })]) {
      expect(predict(facts)).toMatchObject({
        firmwareDriver: 'VirtioNetDxe',
        romImage: null,
        configuration: 6,
        stopsAt: null,
      });
    }
  });

  test('without a ROM, a NIC it has no driver for is not booted from', () => {
    expect(predict(uefi({ nic: 'e1000' }))).toMatchObject({
      firmwareDriver: null,
      configuration: null,
      stopsAt: 'dhcp',
      reasons: ['the firmware has no driver for this NIC, and no ROM image suits it'],
    });
  });

  test("a vendor's driver in the ROM: configuration 3; a full iPXE: configuration 4", () => {
    expect(predict(uefi({ rom: wrapped(virtioDriver, 'virtio-net-pci') }))).toMatchObject({
      configuration: 3,
      romImage: 0,
    });
    expect(predict(uefi({ rom: wrapped(snponly, 'e1000'), nic: 'e1000' }))).toMatchObject({ configuration: 4 });
  });

  test('a ROM for another machine type is passed over in silence, and the own driver boots', () => {
    const prediction = predict(
      uefi({ arch: 'aarch64', firmwareFacts: aavmf, rom: wrapped(virtioDriver, 'virtio-net-pci') }),
    );
    expect(prediction).toMatchObject({ configuration: 6, romImage: null });
    expect(prediction.reasons[0]).toMatch(/another machine type/);
  });

  test('an image of subsystem 10 is not started', () => {
    expect(predict(uefi({ nic: 'e1000', rom: wrapped(snponly, 'e1000', 10) }))).toMatchObject({
      configuration: null,
      stopsAt: 'dhcp',
    });
  });

  test('under Secure Boot AAVMF refuses an unsigned ROM, and OVMF runs it', () => {
    const rom = wrapped(virtioDriver, 'virtio-net-pci');
    expect(predict(uefi({ secureBoot: 'microsoft', rom })).configuration).toBe(3);
    const armRom = wrapped(armDriver, 'virtio-net-pci');
    const arm = uefi({ arch: 'aarch64', firmwareFacts: aavmf, rom: armRom });
    expect(predict(arm).configuration).toBe(3);
    expect(predict({ ...arm, secureBoot: 'microsoft' })).toMatchObject({
      configuration: 6,
      reasons: [expect.stringMatching(/unsigned ROM/), expect.any(String)],
    });
  });

  test('Secure Boot refuses an unsigned second stage', () => {
    expect(predict(uefi({ secureBoot: 'microsoft', nbp: inspectPe(snponly) }))).toMatchObject({ stopsAt: 'nbp' });
    expect(predict(uefi({ nbp: inspectPe(snponly) }))).toMatchObject({ stopsAt: null });
  });

  test('a network stack of 2024.05 and later wants random numbers', () => {
    const newer: FirmwareFacts = {
      ...ovmf,
      drivers: [
        ...ovmf.drivers,
        { guid: '', name: 'Hash2DxeCrypto', type: 'driver', format: 'PE32', bytes: 1, network: null },
      ],
    };
    expect(predict(uefi({ firmwareFacts: newer, randomSource: false })).stopsAt).toBe('dhcp');
    expect(predict(uefi({ firmwareFacts: newer })).stopsAt).toBeNull();
    expect(predict(uefi({ randomSource: false })).stopsAt).toBeNull();
    expect([newer, ovmf, null].map(wantsRandomSource)).toEqual([true, false, true]);
  });

  test('an iPXE application in the ROM cannot start another iPXE; a full iPXE driver can', () => {
    const chained = (rom: ReturnType<typeof look>) => predict(uefi({ nic: 'e1000', rom, secondStage: 'ipxe' })).stopsAt;
    expect(chained(wrapped(snponly, 'e1000'))).toBe('nbp');
    expect(chained(look(fullE1000))).toBeNull();
  });

  test('an iPXE application in the ROM runs its script unseen', () => {
    const scripted = (rom: ReturnType<typeof look>) =>
      predict(uefi({ nic: 'e1000', rom, secondStage: 'none', payload: 'script' })).stopsAt;
    expect(scripted(wrapped(snponly, 'e1000'))).toBe('config');
    expect(scripted(look(fullE1000))).toBeNull();
  });

  /** snponly.efi wrapped as a ROM, as if it were another build. */
  const asIf = (ipxe: Partial<IpxeFacts>, { subsystem = 11, machine = 0x8664 } = {}): OptionRomFacts => {
    const rom = wrapped(snponly, 'e1000');
    const change = (image: RomImage): RomImage => ({
      ...image,
      ipxe: image.ipxe && { ...image.ipxe, ...ipxe },
      efi: image.efi && { ...image.efi, machine, pe: image.efi.pe && { ...image.efi.pe, subsystem } },
    });
    return { ...rom, images: rom.images.map(change) };
  };
  const withRom = (nic: string, rom: OptionRomFacts, changes: Partial<PredictionInput> = {}) =>
    predict(uefi({ nic, rom, secondStage: 'none', stagePath: ['firmware', 'oprom', 'dhcp', 'config'], ...changes }));
  const arm = () => ({ arch: 'aarch64', firmwareFacts: aavmf }) as const;

  test('an iPXE application drives the NICs in its tables, and finds none where this one is not', () => {
    const rom = asIf({ pciIds: ['8086:100e', '10ec:8139'] }, { subsystem: 10 });
    expect(withRom('e1000', rom, { payload: 'linux' }).stopsAt).toBeNull();
    expect(withRom('ne2k_pci', rom)).toMatchObject({ configuration: 4, stopsAt: 'oprom', facts: [] });
  });

  test("an iPXE driver that has none for this NIC leaves it to the firmware's own", () => {
    const rom = asIf({ pciIds: ['8086:100e'] });
    expect(withRom('virtio-net-pci', rom)).toMatchObject({ configuration: 6, romImage: null });
    expect(withRom('rtl8139', rom)).toMatchObject({ configuration: null, stopsAt: 'oprom', facts: [] });
    expect(withRom('rtl8139', rom, { stagePath: ['firmware', 'dhcp', 'config'] }).stopsAt).toBe('dhcp');
  });

  test.each(['pcnet', 'tulip', 'i82559er', 'ne2k_pci'])('on Arm, iPXE does not drive %s: it has no port I/O', (nic) => {
    const known = { stopsAt: 'oprom', facts: ['ipxe-no-port-io-on-arm'] };
    for (const role of ['full', 'driver'] as const) {
      expect(withRom(nic, asIf({ role }, { machine: 0xaa64 }), arm())).toMatchObject({ configuration: null, ...known });
      expect(withRom(nic, asIf({ role })).stopsAt).toBeNull();
    }
    const application = asIf({}, { subsystem: 10, machine: 0xaa64 });
    expect(withRom(nic, application, { ...arm(), payload: 'linux' })).toMatchObject({ configuration: 4, ...known });
  });

  test.each(['e1000', 'rtl8139', 'vmxnet3'])('on Arm, iPXE drives %s by its memory-mapped registers', (nic) => {
    expect(withRom(nic, asIf({}, { machine: 0xaa64 }), arm()).stopsAt).toBeNull();
  });

  test('a full iPXE 2 in the ROM leaves no device to an iPXE with drivers of its own', () => {
    const chained = (version: string, secondStage: 'ipxe' | 'snponly', changes: Partial<IpxeFacts> = {}) =>
      predict(uefi({ nic: 'e1000', secondStage, rom: asIf({ version, role: 'full', ...changes }) }));
    const stuck = { configuration: 4, stopsAt: 'nbp-dhcp', facts: ['ipxe2-rom-keeps-its-device'] };
    expect(chained('2.0.0', 'ipxe')).toMatchObject(stuck);
    const goesOn = { stopsAt: null, facts: [] };
    expect(chained('2.0.0', 'snponly')).toMatchObject(goesOn);
    expect(chained('1.21.1', 'ipxe')).toMatchObject(goesOn);
    expect(chained('2.0.0', 'ipxe', { role: 'driver' })).toMatchObject({ configuration: 5, ...goesOn });
  });

  test('an iPXE that hides its load file protocol is an SNP driver, with all else in it', () => {
    const hidden = Buffer.concat([snponly, Buffer.from('#slow #unhelpful')]);
    const rom = wrapped(hidden, 'e1000');
    expect(rom.images[0]?.ipxe).toMatchObject({ role: 'driver' });
    expect(withRom('e1000', rom).configuration).toBe(5);
    expect(look(fullE1000).images[1]?.ipxe).toMatchObject({
      role: 'full',
      pciIds: expect.arrayContaining(['8086:100e']),
    });
  });
});

describe('SeaBIOS', () => {
  test("runs the BIOS image: a full iPXE is configuration 2, and 1 where it stands in for a vendor's", () => {
    expect(predict(bios({ rom: look(biosE1000) }))).toMatchObject({ configuration: 2, romImage: 0, stopsAt: null });
    expect(predict(bios({ rom: look(biosE1000), servedAsPlainPxe: true }))).toMatchObject({ configuration: 1 });
  });

  test('has no driver of its own, and runs no EFI image', () => {
    expect(predict(bios())).toMatchObject({ configuration: null, stopsAt: 'dhcp' });
    expect(predict(bios({ rom: wrapped(snponly, 'e1000') })).reasons[0]).toMatch(/only through a BIOS image/);
  });

  test("passes over another device's ROM, unless QEMU chose it and patched the ids", () => {
    const other = { rom: look(biosE1000), nic: 'e1000-82544gc' };
    expect(predict(bios(other))).toMatchObject({ configuration: null, stopsAt: 'dhcp' });
    expect(predict(bios({ ...other, romByQemu: true }))).toMatchObject({ configuration: 2 });
  });
});
