import type { Arch, Firmware, FirmwareInterface, RomKind, SecondStage, SecureBoot } from '../../model/axes.ts';
import type { PackageIdentity } from './packages.ts';

/** Not an error: the reason why a cell whose artefact is missing is not run. */
export interface Missing {
  readonly missing: string;
}

export function isMissing(found: object): found is Missing {
  return 'missing' in found;
}

interface Found {
  /** Set it was found in. */
  readonly set: string;
  readonly package: PackageIdentity | undefined;
}

export interface FoundFirmware extends Found {
  readonly firmware: Firmware;
  readonly arch: Arch;
  /** Absent: the SeaBIOS that QEMU loads by default. */
  readonly code: string | undefined;
  /** Where `code` is absent: the file that QEMU loads, if found; for the record only. */
  readonly builtIn: string | undefined;
  readonly vars: string | undefined;
  readonly format: 'raw' | 'qcow2';
  readonly secureBoot: SecureBoot;
  readonly smm: boolean;
  /** Machine types it is made for, as `*` patterns; absent: any. */
  readonly machines: readonly string[] | undefined;
}

export interface FoundRom extends Found {
  readonly nic: string;
  readonly kind: RomKind;
  readonly path: string;
  /**
   * QEMU loads this very file when `romfile` is left out. This matters because QEMU patches the PCI ids in the first image
   * of a ROM only if it chose the ROM itself.
   */
  readonly byQemu: boolean;
  /** Present where the file stands in for another kind or was made from other artefacts. */
  readonly note: string | undefined;
}

export interface FoundNbp extends Found {
  readonly secondStage: SecondStage;
  readonly arch: Arch;
  readonly bios: boolean;
  readonly path: string;
  /** Served name → file. */
  readonly companions: Readonly<Record<string, string>>;
}

export interface FoundKernel extends Found {
  readonly arch: Arch;
  readonly kernel: string;
  readonly initrd: string | undefined;
}

export interface FirmwareQuery {
  readonly firmware: Firmware;
  readonly arch: Arch;
  readonly secureBoot: SecureBoot;
  /** `pc`, `q35`, `virt` or a versioned type; excludes firmware that is not made for it. */
  readonly machine?: string | undefined;
}

export interface RomQuery {
  readonly nic: string;
  readonly kind: RomKind;
  readonly arch: Arch;
  /** Of the firmware that is to run it. */
  readonly interface: FirmwareInterface;
  /** What this QEMU loads for this NIC by default, if it was queried (`qom-get romfile`). */
  readonly defaultRom?: string | undefined;
}

export interface NbpQuery {
  readonly secondStage: SecondStage;
  readonly arch: Arch;
  /** Of the firmware that is to start it. */
  readonly interface: FirmwareInterface;
}

export interface ArtefactSet {
  readonly name: string;
  readonly description: string | undefined;
  readonly packages: readonly PackageIdentity[];
  firmware(query: FirmwareQuery): FoundFirmware | Missing;
  /** `none` and `rombar-off` have no file and are never requested. Generated kinds are written to the cache folder. */
  rom(query: RomQuery): Promise<FoundRom | Missing>;
  nbp(query: NbpQuery): FoundNbp | Missing;
  kernel(arch: Arch): FoundKernel | Missing;
}
