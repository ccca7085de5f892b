import { pciIdText } from '../assets/inspect/ipxe-drivers.ts';
import type { RomImage } from '../assets/inspect/option-rom.ts';
import { pciIdOf } from '../assets/rom/pci-ids.ts';
import { type PredictionInput, peMachineOf, textOf, type Why } from './prediction-input.ts';

const driverSubsystems = [11, 12];

interface ImageRule {
  readonly passedOver: (image: RomImage, input: PredictionInput, index: number) => boolean;
  readonly why: Why;
}

const idsFit = (image: RomImage, { nic, romByQemu }: PredictionInput, index: number) => {
  const ids = pciIdOf(nic);
  return (
    ids === undefined ||
    (romByQemu && index === 0) ||
    (image.vendorId === ids.vendorId && image.deviceId === ids.deviceId)
  );
};

/** An application runs whatever the NIC; a driver does nothing until the firmware offers it one that it supports. */
export const isApplication = ({ efi }: RomImage): boolean => efi?.pe?.subsystem === 10;

/** The iPXE in the image drives some of QEMU's NICs but not this one. Builds that use the firmware's driver have no ids. */
export function lacksDriver({ ipxe }: RomImage, { nic }: PredictionInput): boolean {
  const id = pciIdOf(nic);
  const driven = ipxe?.pciIds ?? [];
  return id !== undefined && driven.length > 0 && !driven.includes(pciIdText(id));
}

/** NICs whose iPXE drivers use port I/O only: ns8390.c, pcnet32.c, eepro100.c and tulip.c. */
const portIoNics = /^(ne2k_pci|pcnet|tulip|i82.*)$/;

export const needsPortIo = ({ ipxe }: RomImage, { arch, nic }: PredictionInput): boolean =>
  ipxe !== null && arch === 'aarch64' && portIoNics.test(nic);

/** Why a firmware skips an image: the first rule that applies. */
const biosImageRules: readonly ImageRule[] = [
  { passedOver: ({ codeType }) => codeType !== 0, why: { known: 'seabios-boots-by-rom' } },
  { passedOver: (image, input, index) => !idsFit(image, input, index), why: { known: 'seabios-compares-ids' } },
];
const efiImageRules: readonly ImageRule[] = [
  { passedOver: ({ efi }) => efi === null, why: { seen: 'UEFI runs EFI images only' } },
  { passedOver: ({ efi }, { arch }) => efi?.machine !== peMachineOf[arch], why: { known: 'uefi-no-emulator' } },
  {
    passedOver: ({ efi }) => !driverSubsystems.includes(efi?.subsystem ?? 0),
    why: { known: 'uefi-starts-drivers' },
  },
  { passedOver: ({ efi }) => efi?.pe === null, why: { seen: 'the EFI image is damaged' } },
  {
    passedOver: ({ efi }, { arch, secureBoot }) =>
      arch === 'aarch64' && secureBoot !== 'off' && efi?.pe?.signatures.length === 0,
    why: { known: 'aavmf-refuses-unsigned-roms' },
  },
  {
    passedOver: (image, input) => !isApplication(image) && lacksDriver(image, input),
    why: { seen: 'its iPXE has no driver for this NIC' },
  },
  {
    passedOver: (image, input) => !isApplication(image) && needsPortIo(image, input),
    why: { known: 'ipxe-no-port-io-on-arm' },
  },
];

export interface ImageChoice {
  /** The ROM image that this firmware runs and that drives the NIC. */
  readonly image: RomImage | undefined;
  readonly index: number | null;
  /** Why the images before it, or all of them, are not used. */
  readonly passedOver: readonly Why[];
  readonly reasons: readonly string[];
}

export function chooseImage(input: PredictionInput): ImageChoice {
  const rules = input.interface === 'bios' ? biosImageRules : efiImageRules;
  const passedOver: Why[] = [];
  const reasons: string[] = [];
  for (const [index, image] of (input.rom?.images ?? []).entries()) {
    const rule = rules.find((candidate) => candidate.passedOver(image, input, index));
    if (rule === undefined) return { image, index, passedOver, reasons };
    passedOver.push(rule.why);
    const machine = image.efi ? ` ${image.efi.machineName}` : '';
    reasons.push(`ROM image ${index + 1} (${image.codeTypeName}${machine}): ${textOf(rule.why)}`);
  }
  return { image: undefined, index: null, passedOver, reasons };
}
