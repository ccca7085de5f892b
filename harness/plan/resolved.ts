import type { Input } from '../model/plan.ts';

/** The option ROM as QEMU is to have it. */
export type Oprom =
  | { kind: 'none' | 'rombar-off' | 'bundled' }
  /** The device has no ROM BAR at all (mmio, USB), so there is nothing to switch off. */
  | { kind: 'unsupported' }
  | { kind: 'file'; path: string };

export interface ResolvedFile {
  path: string;
  bytes: number;
}

/** Everything a scenario names, found on this host: what the pure part of planning starts from. */
export interface Resolved {
  /** `code` null: the firmware built into QEMU. `bios`: a flat image rather than flash. */
  firmware: { code: string | null; vars: string | null; format: 'raw' | 'qcow2'; smm: boolean; bios: boolean };
  oprom: Oprom;
  nbp: (ResolvedFile & { name: string }) | undefined;
  /** What the NBP fetches beside itself, by served name. */
  companions: Readonly<Record<string, ResolvedFile>>;
  kernel: ResolvedFile | undefined;
  initrd: ResolvedFile | undefined;
  inputs: Input[];
}
