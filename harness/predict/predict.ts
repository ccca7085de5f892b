import { wantsRandomSource } from '../assets/inspect/firmware.ts';
import { drivesNic } from '../assets/inspect/network-drivers.ts';
import type { RomImage } from '../assets/inspect/option-rom.ts';
import type { Configuration } from '../model/axes.ts';
import type { KnownFactId } from '../model/known-facts.ts';
import { type Stage, stages } from '../model/stages.ts';
import { factsOf, type PredictionInput, peMachineOf, textOf, type Why } from './prediction-input.ts';
import { chooseImage, isApplication, lacksDriver, needsPortIo } from './rom-image.ts';

export interface Prediction {
  /** The firmware's own driver for this NIC. */
  readonly firmwareDriver: string | null;
  /** Index of the ROM image that this firmware runs and that drives the NIC. */
  readonly romImage: number | null;
  readonly configuration: Configuration | null;
  /** First stage of the path that should not be reached; null: the boot should complete. */
  readonly stopsAt: Stage | null;
  readonly reasons: string[];
  /** Those of the reasons that no file shows. */
  readonly facts: KnownFactId[];
}

interface Known extends PredictionInput {
  readonly image: RomImage | undefined;
  readonly driver: string | null;
}

interface FirstStageRule {
  readonly when: (known: Known) => boolean;
  readonly configuration: Configuration | null;
  /** Nothing boots from the network: the first stage that would need it. */
  readonly stopsAt?: 'oprom';
  readonly why: Why;
}

const bios = (known: Known) => known.interface === 'bios';
const role = ({ image }: Known) => image?.ipxe?.role;
const applicationIn = ({ image }: Known) => image !== undefined && isApplication(image);

/** What boots, by the contents of ROM and firmware: the first rule that applies decides. */
const firstStageRules: readonly FirstStageRule[] = [
  {
    when: (known) => bios(known) && known.image === undefined,
    configuration: null,
    stopsAt: 'oprom',
    why: { known: 'seabios-boots-by-rom' },
  },
  {
    when: (known) => bios(known) && role(known) === 'full' && !known.servedAsPlainPxe,
    configuration: 2,
    why: { seen: 'the BIOS image is a full iPXE' },
  },
  { when: bios, configuration: 1, why: { seen: 'the BIOS image is served as a complete PXE implementation' } },
  {
    when: (known) => role(known) === 'full' && applicationIn(known),
    configuration: 4,
    why: { seen: 'the ROM holds an iPXE application, which starts while the firmware enumerates PCI devices' },
  },
  {
    when: (known) => role(known) === 'full',
    configuration: 4,
    why: { seen: 'the EFI image is a full iPXE, which inserts itself into the boot' },
  },
  {
    when: (known) => role(known) === 'driver',
    configuration: 5,
    why: { seen: 'the EFI image is iPXE cut down to an SNP driver' },
  },
  {
    when: ({ image }) => image !== undefined,
    configuration: 3,
    why: { seen: "the EFI image is a driver other than iPXE's" },
  },
  {
    when: ({ driver }) => driver !== null,
    configuration: 6,
    why: { seen: 'no ROM image suits, and the firmware drives this NIC itself' },
  },
  {
    when: () => true,
    configuration: null,
    stopsAt: 'oprom',
    why: { seen: 'the firmware has no driver for this NIC, and no ROM image suits it' },
  },
];

type Booting = Known & { readonly configuration: Configuration | null };

interface StopRule {
  readonly when: (booting: Booting) => boolean;
  readonly stopsAt: Stage;
  readonly why: Why;
}

const has = ({ firmwareFacts }: PredictionInput, name: string) =>
  firmwareFacts?.drivers.some((driver) => driver.name === name) ?? false;

/** The firmware's own network stack boots, and the image could be inspected. */
const byFirmware = ({ configuration, firmwareFacts }: Booting) =>
  [3, 5, 6].includes(configuration ?? 0) && firmwareFacts !== null;
const application = (booting: Booting) => booting.configuration === 4 && applicationIn(booting);

/** What stops a boot that has a first stage, as seen in the files: the first rule that applies. */
const seenStops: readonly StopRule[] = [
  {
    when: (booting) => application(booting) && lacksDriver(booting.image as RomImage, booting),
    stopsAt: 'oprom',
    why: { seen: 'the iPXE application in the ROM has no driver for this NIC' },
  },
  {
    when: (booting) => byFirmware(booting) && !has(booting, 'UefiPxeBcDxe') && !has(booting, 'HttpBootDxe'),
    stopsAt: 'oprom',
    why: { seen: 'the firmware was built without network boot' },
  },
  {
    when: ({ secureBoot, nbp }) => secureBoot !== 'off' && nbp !== null && nbp.signatures.length === 0,
    stopsAt: 'nbp',
    why: { seen: 'Secure Boot refuses an unsigned network boot program' },
  },
  {
    when: ({ arch, nbp }) => nbp !== null && nbp.machine !== peMachineOf[arch],
    stopsAt: 'nbp',
    why: { seen: 'the network boot program is for another machine type' },
  },
];

/** What stops it for reasons that no file shows: each rule is a known fact. */
const knownStops: readonly StopRule[] = [
  {
    when: (booting) => application(booting) && needsPortIo(booting.image as RomImage, booting),
    stopsAt: 'oprom',
    why: { known: 'ipxe-no-port-io-on-arm' },
  },
  {
    when: (booting) => byFirmware(booting) && wantsRandomSource(booting.firmwareFacts) && !booting.randomSource,
    stopsAt: 'oprom',
    why: { known: 'edk2-network-wants-random' },
  },
  {
    when: (booting) => application(booting) && booting.secondStage === 'ipxe',
    stopsAt: 'nbp',
    why: { known: 'rom-application-starts-no-other' },
  },
  {
    when: (booting) => application(booting) && booting.payload === 'script',
    stopsAt: 'config',
    why: { known: 'rom-application-has-no-console' },
  },
  {
    when: ({ configuration, image, secondStage }) =>
      configuration === 4 && image?.ipxe?.version?.startsWith('2.') === true && secondStage === 'ipxe',
    stopsAt: 'nbp-dhcp',
    why: { known: 'ipxe2-rom-keeps-its-device' },
  },
  {
    when: ({ configuration, nic, secondStage }) => configuration === 5 && /^i82/.test(nic) && secondStage !== 'none',
    stopsAt: 'nbp-fetch',
    why: { known: 'ipxe-eepro100-stalls' },
  },
  {
    when: ({ configuration, nic, secondStage }) =>
      (configuration === 1 || configuration === 2) && nic === 'vmxnet3' && secondStage === 'undionly',
    stopsAt: 'nbp-dhcp',
    why: { known: 'ipxe-vmxnet3-no-interrupts' },
  },
];

/** The first stage of the path that depends on what does not happen. */
function firstMissed({ stagePath }: PredictionInput, from: Stage | undefined): Stage | null {
  if (from === undefined) return null;
  return stagePath.find((stage) => stages.indexOf(stage) >= stages.indexOf(from)) ?? null;
}

/** What should happen, from what inspection found and from known facts; pure, and without QEMU. */
export function predict(input: PredictionInput): Prediction {
  const own = input.firmwareFacts?.drivers.find((driver) => drivesNic(driver, input.nic));
  const driver = own === undefined ? null : (own.name ?? own.guid);
  const { image, index, passedOver, reasons } = chooseImage(input);
  const known = { ...input, image, driver };
  const first = firstStageRules.find(({ when }) => when(known)) as FirstStageRule;
  const booting = { ...known, configuration: first.configuration };
  const stop = first.stopsAt ? undefined : [...seenStops, ...knownStops].find(({ when }) => when(booting));
  const whys = [first.why, ...(stop === undefined ? [] : [stop.why])];
  return {
    firmwareDriver: driver,
    romImage: index,
    configuration: first.configuration,
    stopsAt: firstMissed(input, first.stopsAt ?? stop?.stopsAt),
    reasons: [...reasons, ...whys.map(textOf)],
    facts: [...new Set(factsOf([...passedOver, ...whys]))],
  };
}
