import type { Budget } from './budget.ts';
import { createWalk, type FfsFile, ffsTypes, type VolumeFacts, walkVolumes } from './ffs.ts';
import { cString, ucs2String } from './file-text.ts';
import { attempt } from './malformed.ts';
import { type NetworkRole, networkRoleOf } from './network-drivers.ts';
import { peLayout, peMachines } from './pe.ts';

export interface FirmwareDriver {
  readonly guid: string;
  readonly name: string | null;
  readonly type: string;
  readonly format: 'PE32' | 'TE' | null;
  readonly bytes: number;
  /** Its part in the network stack; null if none. */
  readonly network: NetworkRole | null;
}

export interface FirmwareFacts {
  readonly volumes: readonly VolumeFacts[];
  readonly compressions: readonly string[];
  readonly drivers: readonly FirmwareDriver[];
  /** Machine types that its drivers are built for; on x86 earlier phases may be built for another. */
  readonly machines: readonly string[];
  /** Version strings of the build, such as `2022.11-6+deb12u2`. */
  readonly versions: readonly string[];
  readonly problems: readonly string[];
}

/**
 * UEFI firmware whose network stack does not start without random numbers: Hash2DxeCrypto came with the change that made
 * TCP, DHCP and the rest depend on them (edk2 2024.05). True also where the image could not be inspected.
 */
export const wantsRandomSource = (facts: FirmwareFacts | null): boolean =>
  facts === null || facts.drivers.some(({ name }) => name === 'Hash2DxeCrypto');

/** `2022.11-6+deb12u2`, `2026.08+ds-2`; or `edk2-2022.11` from a build path. */
const ucs2Version = /^\d{4}\.\d{2}[\w.+~-]*$/;
const pathVersion = /^edk2-(\d{4}\.\d{2}[\w.+~-]*|stable[\w.+~-]*)/;
const yearInUcs2 = Buffer.from('20', 'utf16le');
const maxCandidates = 20_000;

/** edk2 keeps the SMBIOS version string in UCS-2; older builds only have it in the paths of their debug records. */
function versionsOf(streams: readonly Buffer[]): string[] {
  const found = new Set<string>();
  let candidates = 0;
  const next = (stream: Buffer, text: Buffer, from: number) =>
    candidates++ < maxCandidates ? stream.indexOf(text, from) : -1;
  for (const stream of streams) {
    for (let at = next(stream, yearInUcs2, 0); at >= 0; at = next(stream, yearInUcs2, at + 2)) {
      const version = ucs2String(stream, at, 60);
      if (ucs2Version.test(version)) found.add(version);
    }
  }
  if (found.size > 0) return [...found].slice(0, 8);
  const path = Buffer.from('edk2-', 'latin1');
  for (const stream of streams) {
    for (let at = next(stream, path, 0); at >= 0; at = next(stream, path, at + 5)) {
      const version = pathVersion.exec(cString(stream, at, 60))?.[1];
      if (version !== undefined) found.add(version);
    }
  }
  return [...found].slice(0, 8);
}

/** Builds that guard their variables with SMM hang on a machine without it. */
export const needsSmm = ({ drivers }: FirmwareFacts): boolean => drivers.some(({ type }) => type === 'MM core');

/** A TE image keeps the machine type of the PE image it was made from (PI specification, volume 1, §15.1). */
function machineOf({ format, bytes }: NonNullable<FfsFile['executable']>): number | undefined {
  if (format === 'TE') return bytes.length >= 4 ? bytes.readUInt16LE(2) : undefined;
  const layout = attempt(() => peLayout(bytes));
  return 'problem' in layout ? undefined : bytes.readUInt16LE(layout.coff);
}

const driverTypes: readonly (string | undefined)[] = ['DXE core', 'driver'];

function machinesOf(files: readonly FfsFile[]): string[] {
  const drivers = files.filter(({ type }) => driverTypes.includes(ffsTypes.get(type)));
  const machines = drivers.flatMap(({ executable }) => (executable && machineOf(executable)) ?? []);
  return [...new Set(machines)].map((machine) => peMachines.get(machine) ?? `0x${machine.toString(16)}`);
}

/** A flash image of UEFI firmware; `undefined` if it has no volume. Never throws because of the file's contents. */
export function inspectFirmware(bytes: Buffer, budget: Budget): FirmwareFacts | undefined {
  const walk = createWalk(budget);
  walkVolumes(bytes, walk);
  if (walk.volumes.length === 0) return undefined;
  const topLevel = walk.volumes
    .filter(({ depth }) => depth === 0)
    .map(({ offset, bytes: length }) => bytes.subarray(offset, offset + length));
  return {
    volumes: walk.volumes,
    compressions: [...walk.compressions],
    drivers: walk.files
      .filter(({ executable }) => executable !== null)
      .map(({ guid, name, type, executable }) => ({
        guid,
        name,
        type: ffsTypes.get(type) ?? `type ${type}`,
        format: executable?.format ?? null,
        bytes: executable?.bytes.length ?? 0,
        network: networkRoleOf({ guid, name }) ?? null,
      })),
    machines: machinesOf(walk.files),
    versions: versionsOf([...topLevel, ...walk.streams]),
    problems: walk.problems,
  };
}
