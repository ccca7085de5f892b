import { type FirmwareFacts, wantsRandomSource } from '../assets/inspect/firmware.ts';
import { drivesNic } from '../assets/inspect/network-drivers.ts';
import type { OptionRomFacts, RomImage } from '../assets/inspect/option-rom.ts';
import type { PeFacts } from '../assets/inspect/pe.ts';
import { pciIdOf } from '../assets/rom/pci-ids.ts';
import type { Arch, Configuration, FirmwareInterface, SecondStage, SecureBoot } from '../model/axes.ts';
import type { Scenario } from '../model/scenario.ts';
import type { Stage } from '../model/stages.ts';

export interface PredictionInput {
  readonly arch: Arch;
  readonly interface: FirmwareInterface;
  /** Null for a legacy BIOS, or where the image could not be looked into. */
  readonly firmwareFacts: FirmwareFacts | null;
  readonly nic: string;
  /** Null: nothing in the ROM BAR. */
  readonly rom: OptionRomFacts | null;
  /** QEMU chose the ROM itself, and patches its first image's ids. */
  readonly romByQemu: boolean;
  /** The harness serves iPXE's own BIOS ROM as the plain PXE client that it stands in for. */
  readonly servedAsPlainPxe: boolean;
  readonly secureBoot: SecureBoot;
  /** The machine has virtio-rng or a CPU with a random instruction. */
  readonly randomSource: boolean;
  readonly secondStage: SecondStage;
  readonly payload: Scenario['payload'];
  /** Of the NBP, where it is an EFI image. */
  readonly nbp: PeFacts | null;
}

export interface Prediction {
  /** The firmware's own driver for this NIC. */
  readonly firmwareDriver: string | null;
  /** Index of the ROM image this firmware runs. */
  readonly romImage: number | null;
  readonly configuration: Configuration | null;
  /** First stage that should not be reached; null: the boot should reach its end. */
  readonly stopsAt: Stage | null;
  readonly reasons: readonly string[];
}

const peMachineOf: Readonly<Record<Arch, number>> = { x86_64: 0x8664, aarch64: 0xaa64 };
const efiDriverSubsystems = [11, 12];

type ImageRule = {
  readonly passedOver: (image: RomImage, input: PredictionInput, index: number) => boolean;
  readonly reason: string;
};

const idsFit = (image: RomImage, { nic, romByQemu }: PredictionInput, index: number) => {
  const ids = pciIdOf(nic);
  return (
    ids === undefined ||
    (romByQemu && index === 0) ||
    (image.vendorId === ids.vendorId && image.deviceId === ids.deviceId)
  );
};

/** Why a firmware passes over an image: the first rule that holds. */
const biosImageRules: readonly ImageRule[] = [
  { passedOver: ({ codeType }) => codeType !== 0, reason: 'SeaBIOS runs BIOS images only' },
  {
    passedOver: (image, input, index) => !idsFit(image, input, index),
    reason: "SeaBIOS passes over an image with another device's ids, and QEMU patches only a ROM that it chose itself",
  },
];
const efiImageRules: readonly ImageRule[] = [
  { passedOver: ({ efi }) => efi === null, reason: 'UEFI runs EFI images only' },
  {
    passedOver: ({ efi }, { arch }) => efi?.machine !== peMachineOf[arch],
    reason: 'the image is for another machine type, and this firmware has no emulator for it',
  },
  {
    passedOver: ({ efi }) => !efiDriverSubsystems.includes(efi?.subsystem ?? 0),
    reason: "UEFI's PCI bus driver starts images of subsystem 11 and 12 only",
  },
  { passedOver: ({ efi }) => efi?.pe === null, reason: 'the EFI image is damaged' },
  {
    // OVMF trusts its host with option ROMs and runs unsigned ones under Secure Boot too; both were measured.
    passedOver: ({ efi }, { arch, secureBoot }) =>
      arch === 'aarch64' && secureBoot !== 'off' && efi?.pe?.signatures.length === 0,
    reason: 'under Secure Boot AAVMF refuses an unsigned ROM image',
  },
];

function chooseImage(input: PredictionInput): { index: number; image: RomImage | undefined; reasons: string[] } {
  const rules = input.interface === 'bios' ? biosImageRules : efiImageRules;
  const reasons: string[] = [];
  for (const [index, image] of (input.rom?.images ?? []).entries()) {
    const rule = rules.find(({ passedOver }) => passedOver(image, input, index));
    if (rule === undefined) return { index, image, reasons };
    reasons.push(
      `ROM image ${index + 1} (${image.codeTypeName}${image.efi ? ` ${image.efi.machineName}` : ''}): ${rule.reason}`,
    );
  }
  return { index: -1, image: undefined, reasons };
}

interface Known extends PredictionInput {
  readonly image: RomImage | undefined;
  readonly driver: string | null;
}

interface FirstStageRule {
  readonly when: (known: Known) => boolean;
  readonly configuration: Configuration | null;
  readonly stopsAt?: Stage;
  readonly reason: string;
}

const bios = (known: Known) => known.interface === 'bios';
const isApplication = ({ image }: Known) => image?.efi?.pe?.subsystem === 10;
const role = ({ image }: Known) => image?.ipxe?.role;

/** Who boots, by what is in the ROM and in the firmware: the first rule that holds decides. */
const firstStageRules: readonly FirstStageRule[] = [
  {
    when: (known) => bios(known) && known.image === undefined,
    configuration: null,
    stopsAt: 'dhcp',
    reason: 'SeaBIOS has no network driver of its own, and no ROM image suits it',
  },
  {
    when: (known) => bios(known) && role(known) === 'full' && !known.servedAsPlainPxe,
    configuration: 2,
    reason: 'the BIOS image is a full iPXE',
  },
  {
    when: bios,
    configuration: 1,
    reason: 'the BIOS image is served as a complete PXE implementation',
  },
  {
    when: (known) => role(known) === 'full' && isApplication(known),
    configuration: 4,
    reason: 'the ROM holds an iPXE application, which starts while the firmware enumerates PCI devices',
  },
  {
    when: (known) => role(known) === 'full',
    configuration: 4,
    reason: 'the EFI image is a full iPXE, which inserts itself into the boot',
  },
  {
    when: (known) => role(known) === 'driver',
    configuration: 5,
    reason: 'the EFI image is iPXE cut down to an SNP driver',
  },
  { when: ({ image }) => image !== undefined, configuration: 3, reason: "the EFI image is a driver other than iPXE's" },
  {
    when: ({ driver }) => driver !== null,
    configuration: 6,
    reason: 'no ROM image suits, and the firmware drives this NIC itself',
  },
  {
    when: () => true,
    configuration: null,
    stopsAt: 'dhcp',
    reason: 'the firmware has no driver for this NIC, and no ROM image suits it',
  },
];

interface StopRule {
  readonly when: (known: Known & { readonly configuration: Configuration | null }) => boolean;
  readonly stopsAt: Stage;
  readonly reason: string;
}

const has = ({ firmwareFacts }: PredictionInput, name: string) =>
  firmwareFacts?.drivers.some((driver) => driver.name === name) ?? false;

/** NICs that iPXE drives by port I/O only (inb, outw, …): ns8390, pcnet32, eepro100 and tulip. */
const portIoNics = /^(ne2k_pci|pcnet|tulip|i82.*)$/;

/** What stops a boot that has a first stage: the first rule that holds. */
const stopRules: readonly StopRule[] = [
  {
    // ns8390.c names ISA cards first, and since 2.0 parserom.pl takes it for a driver of those alone.
    when: (known) =>
      known.configuration === 4 &&
      known.nic === 'ne2k_pci' &&
      known.image?.ipxe?.build === 'ipxe.efi' &&
      /^2\./.test(known.image.ipxe.version ?? ''),
    stopsAt: 'oprom',
    reason: "iPXE 2's builds with all drivers lack the one for NE2000 cards, so the ROM finds no NIC",
  },
  {
    // dummy_pio.h: every port reads as all ones.
    when: (known) =>
      known.configuration === 4 && isApplication(known) && known.arch === 'aarch64' && portIoNics.test(known.nic),
    stopsAt: 'oprom',
    reason: 'iPXE has no port I/O on Arm, and its driver for this NIC knows no other way, so the ROM finds no NIC',
  },
  {
    when: (known) =>
      [3, 5, 6].includes(known.configuration ?? 0) &&
      known.firmwareFacts !== null &&
      wantsRandomSource(known.firmwareFacts) &&
      !known.randomSource,
    stopsAt: 'dhcp',
    reason: "this firmware's network stack does not start without a source of random numbers",
  },
  {
    when: (known) =>
      [3, 5, 6].includes(known.configuration ?? 0) &&
      known.firmwareFacts !== null &&
      !has(known, 'UefiPxeBcDxe') &&
      !has(known, 'HttpBootDxe'),
    stopsAt: 'dhcp',
    reason: 'the firmware was built without network boot',
  },
  {
    when: ({ secureBoot, nbp }) => secureBoot !== 'off' && nbp !== null && nbp.signatures.length === 0,
    stopsAt: 'nbp',
    reason: 'Secure Boot refuses an unsigned network boot program',
  },
  {
    when: ({ arch, nbp }) => nbp !== null && nbp.machine !== peMachineOf[arch],
    stopsAt: 'nbp',
    reason: 'the network boot program is for another machine type',
  },
  {
    when: (known) => known.configuration === 4 && isApplication(known) && known.secondStage === 'ipxe',
    stopsAt: 'nbp',
    reason: 'an application that runs during PCI enumeration cannot start another one',
  },
  {
    // The script arrives, and what it prints does not.
    when: (known) => known.configuration === 4 && isApplication(known) && known.payload === 'script',
    stopsAt: 'config',
    reason:
      'an application that runs during PCI enumeration has no console yet to show its token on: payload linux tells more',
  },
  {
    when: ({ configuration, nic, secondStage }) => configuration === 5 && /^i82/.test(nic) && secondStage !== 'none',
    stopsAt: 'nbp-fetch',
    reason: "iPXE's driver for this NIC stops receiving when the firmware asks for several TFTP blocks at a time",
  },
  {
    when: ({ configuration, nic, secondStage }) =>
      configuration === 1 && nic === 'vmxnet3' && secondStage === 'undionly',
    stopsAt: 'nbp-dhcp',
    reason:
      "the UNDI of iPXE's ROM promises interrupts that its vmxnet3 driver never raises, and undionly.kpxe waits for one",
  },
];

/** What should happen, from looking at the files alone; pure, and without QEMU. */
export function predict(input: PredictionInput): Prediction {
  const firmwareDriver = input.firmwareFacts?.drivers.find((driver) => drivesNic(driver, input.nic));
  const driver = firmwareDriver === undefined ? null : (firmwareDriver.name ?? firmwareDriver.guid);
  const { index, image, reasons } = chooseImage(input);
  const known = { ...input, image, driver };
  const first = firstStageRules.find(({ when }) => when(known)) as FirstStageRule;
  const { configuration } = first;
  const stop =
    first.stopsAt === undefined ? stopRules.find(({ when }) => when({ ...known, configuration })) : undefined;
  return {
    firmwareDriver: driver,
    romImage: image === undefined ? null : index,
    configuration,
    stopsAt: first.stopsAt ?? stop?.stopsAt ?? null,
    reasons: [...reasons, first.reason, ...(stop === undefined ? [] : [stop.reason])],
  };
}
