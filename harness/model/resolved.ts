import type { FirmwareInterface, Loader } from './axes.ts';
import type { Input } from './plan.ts';
import type { Transports } from './transports.ts';

/** The option ROM as QEMU gets it. */
export type Oprom =
  | { kind: 'none' | 'rombar-off' | 'bundled' }
  /** The device has no ROM BAR at all (mmio, USB), so there is nothing to switch off. */
  | { kind: 'unsupported' }
  | { kind: 'file'; path: string };

export interface ResolvedFile {
  path: string;
  bytes: number;
}

/** Where a program of ours takes the nonce: at each offset, NUL-terminated where shorter than `bytes`. */
export interface NonceField {
  offsets: readonly number[];
  bytes: number;
}

interface FoundProgram {
  path: string;
  /** What it needs to run from where it is. */
  env: Record<string, string>;
}

/** A program of a provisioner, found on this host. */
export interface ResolvedProgram extends FoundProgram {
  /** By name; a file that is not text is copied as it is. */
  files: Readonly<Record<string, { text: string } | { path: string }>>;
}

interface ResolvedProvisioner {
  programs: readonly ResolvedProgram[];
  /** For hosts where no TAP can be opened, where there are both. */
  packetPrograms: { socat: FoundProgram; ethtool: FoundProgram } | undefined;
}

/** Everything a scenario names, found on this host: the input to the pure part of planning. */
export interface Resolved {
  qemu: {
    /** A name for PATH, or a path. */
    program: string;
    /** Where its data files are, if not where it looks by default. */
    dataFolders: readonly string[];
    env: Record<string, string>;
  };
  firmware: {
    interface: FirmwareInterface;
    /** Null: the firmware built into QEMU. */
    code: string | null;
    vars: string | null;
    format: 'raw' | 'qcow2';
    smm: boolean;
    /** For `-bios`, rather than flash. */
    flat: boolean;
    /** Its network stack does not start without random numbers; true also where the image could not be inspected. */
    wantsRandomSource: boolean;
  };
  loader: Loader;
  transports: Transports;
  oprom: Oprom;
  nbp: (ResolvedFile & { name: string; nonce?: NonceField }) | undefined;
  /** What else the NBP fetches, by served name. */
  companions: Readonly<Record<string, ResolvedFile>>;
  /** Files that the scenario serves by role, by served name. */
  served: Readonly<Record<string, ResolvedFile>>;
  kernel: ResolvedFile | undefined;
  initrd: ResolvedFile | undefined;
  /** A second initrd whose /init replaces the first one's. */
  overlay: ResolvedFile | undefined;
  /** An iSCSI disk, and where the target's programs are. */
  san: { disk: ResolvedFile; nonce: NonceField; programRoot: string } | undefined;
  /** The machine's own disk. */
  disk: (ResolvedFile & { nonce: NonceField }) | undefined;
  /** The user's server: where each program is and what its files hold, in the scenario's order. */
  provisioner: ResolvedProvisioner | undefined;
  inputs: Input[];
}
