import type { FirmwareFacts } from '../assets/inspect/firmware.ts';
import type { OptionRomFacts } from '../assets/inspect/option-rom.ts';
import type { PeFacts } from '../assets/inspect/pe.ts';
import type { Arch, FirmwareInterface, SecondStage, SecureBoot } from '../model/axes.ts';
import { type KnownFactId, knownFacts } from '../model/known-facts.ts';
import type { Scenario } from '../model/scenario.ts';
import type { Stage } from '../model/stages.ts';

export interface PredictionInput {
  readonly arch: Arch;
  readonly interface: FirmwareInterface;
  /** Null for a legacy BIOS, or where the image could not be inspected. */
  readonly firmwareFacts: FirmwareFacts | null;
  readonly nic: string;
  /** Null: nothing in the ROM BAR. */
  readonly rom: OptionRomFacts | null;
  /** QEMU chose the ROM itself and patches the ids of its first image. */
  readonly romByQemu: boolean;
  /** iPXE's own BIOS ROM is served like the plain PXE client that it stands in for. */
  readonly servedAsPlainPxe: boolean;
  readonly secureBoot: SecureBoot;
  /** The machine has virtio-rng or a CPU with a random instruction. */
  readonly randomSource: boolean;
  readonly secondStage: SecondStage;
  readonly payload: Scenario['payload'];
  /** The NBP, where it is an EFI image. */
  readonly nbp: PeFacts | null;
  /** The stages that the case must pass. */
  readonly stagePath: readonly Stage[];
}

/** What a rule rests on: what was seen in the files, or a known fact. */
export type Why = { readonly seen: string } | { readonly known: KnownFactId };

export const textOf = (why: Why): string => ('seen' in why ? why.seen : knownFacts[why.known].says);
export const factsOf = (whys: readonly Why[]): KnownFactId[] =>
  whys.flatMap((why) => ('known' in why ? [why.known] : []));

export const peMachineOf: Readonly<Record<Arch, number>> = { x86_64: 0x8664, aarch64: 0xaa64 };
