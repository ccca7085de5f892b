import { basename } from 'node:path';
import type { Arch, Firmware, RomKind, SecondStage } from '../../model/axes.ts';
import type { Inspection } from '../inspect/inspect.ts';
import type { RomImage } from '../inspect/option-rom.ts';
import type { PeFacts } from '../inspect/pe.ts';
import { nicsOfPciId } from '../rom/pci-ids.ts';

/** A file's role in a set. Two files with the same one are ambiguous. */
export type Place =
  | { part: 'firmware'; firmware: Firmware; arch: Arch; smm: boolean }
  /** A variable store, matched to its code by name. */
  | { part: 'variables' }
  | { part: 'roms'; nic: string; kind: Exclude<RomKind, 'none' | 'rombar-off'>; arch: Arch }
  | { part: 'nbps'; secondStage: Exclude<SecondStage, 'none' | 'linux'>; arch: Arch; bios: boolean }
  | { part: 'kernels'; arch: Arch };

/** Where a file goes: every place it fits, or why it has none. */
export type Placed = { places: Place[] } | { reason: string };

const archOfMachine: Readonly<Record<number, Arch>> = { 34404: 'x86_64', 43620: 'aarch64' };
const archOfName: Readonly<Record<string, Arch>> = { X64: 'x86_64', AA64: 'aarch64' };
const firmwareOfArch: Record<Arch, Firmware> = { x86_64: 'ovmf', aarch64: 'aavmf' };

const unknownMachine = (name: string): Placed => ({
  reason: `it is for ${name}, which nothing here boots`,
});

/** What a ROM image is to a firmware that runs it. */
function kindOf({ efi, ipxe }: RomImage): Exclude<RomKind, 'none' | 'rombar-off'> | undefined {
  if (efi === null) return 'bios';
  if (ipxe === null) return efi.subsystem === 10 ? 'app' : 'vendor-snp';
  return ipxe.role === 'full' ? 'full' : 'snp';
}

function placeRom({ images, problems }: Extract<Inspection, { type: 'option-rom' }>): Placed {
  const places: Place[] = [];
  const reasons: string[] = [...problems];
  for (const image of images) {
    const arch = image.efi === null ? 'x86_64' : archOfMachine[image.efi.machine];
    const ids = [image.deviceId, ...image.deviceIds];
    const nics = [...new Set(ids.flatMap((deviceId) => nicsOfPciId({ vendorId: image.vendorId, deviceId })))];
    const kind = kindOf(image);
    const id = `${image.vendorId.toString(16).padStart(4, '0')}:${image.deviceId.toString(16).padStart(4, '0')}`;
    if (arch === undefined) reasons.push(`an image is for ${image.efi?.machineName}`);
    else if (nics.length === 0) reasons.push(`QEMU has no NIC with the ids ${id}`);
    else if (kind !== undefined) places.push(...nics.map((nic): Place => ({ part: 'roms', nic, kind, arch })));
  }
  // In a combined ROM the firmware chooses: only a ROM with nothing but BIOS images is the BIOS ROM.
  const efi = places.filter((place) => place.part === 'roms' && place.kind !== 'bios');
  if (efi.length > 0) return { places: efi };
  return places.length > 0 ? { places } : { reason: reasons.join('; ') || 'it has no image for a NIC' };
}

const has = ({ sbat }: PeFacts, component: string): boolean => sbat.some((entry) => entry.component === component);

/** Which second stage an EFI application is, by its own strings. */
function secondStageOf({ pe, ipxe }: Extract<Inspection, { type: 'pe' }>): SecondStage | { reason: string } {
  if (ipxe?.build === 'snponly.efi') return 'snponly';
  if (ipxe?.build === 'ipxe.efi') return 'ipxe';
  if (ipxe) return { reason: `iPXE built as ${ipxe.build ?? 'an unknown target'}: neither ipxe.efi nor snponly.efi` };
  if (has(pe, 'shim')) return { reason: 'shim: list what it loads in "companions"' };
  if (has(pe, 'grub')) return 'grub';
  if (has(pe, 'systemd-stub')) return 'uki';
  return { reason: 'an unidentified EFI application' };
}

function placePe(inspection: Extract<Inspection, { type: 'pe' }>): Placed {
  const { pe } = inspection;
  const arch = archOfMachine[pe.machine];
  if (arch === undefined) return unknownMachine(pe.machineName);
  if (pe.subsystem !== 10)
    return { reason: `an EFI ${pe.subsystemName}: \`netboot rom make\` puts it into an option ROM` };
  const stage = secondStageOf(inspection);
  if (typeof stage === 'object') return stage;
  return { places: [{ part: 'nbps', secondStage: stage, arch, bios: false } as Place] };
}

/** iPXE, PXELINUX and GRUB for legacy BIOS: only the file name shows which build of iPXE it is. */
function placeBiosNbp({ program }: Extract<Inspection, { type: 'bios-nbp' }>, path: string): Placed {
  const name = basename(path).toLowerCase();
  const stage: SecondStage | undefined =
    program === 'PXELINUX'
      ? 'pxelinux'
      : program === 'GRUB'
        ? 'grub'
        : /^undionly\.k*pxe$/.test(name)
          ? 'undionly'
          : /^ipxe\.k*pxe$/.test(name)
            ? 'ipxe'
            : undefined;
  if (stage === undefined) return { reason: `a boot program (${program}) named neither undionly nor ipxe` };
  return { places: [{ part: 'nbps', secondStage: stage, arch: 'x86_64', bios: true } as Place] };
}

function placeFirmware(inspection: Extract<Inspection, { type: 'firmware' }>, path: string): Placed {
  const { volumes, drivers, machines } = inspection;
  if (/\.fv$/i.test(path)) return { reason: 'one volume of a build; use the .fd, which contains it' };
  if (drivers.length === 0) {
    const isStore = volumes.some(({ fileSystem }) => fileSystem === 'variable store');
    return isStore ? { places: [{ part: 'variables' }] } : { reason: 'volumes without any driver' };
  }
  if (volumes.some(({ fileSystem }) => fileSystem === 'variable store'))
    return {
      reason: 'code and variables in one image: give it by path ({ "code": FILE }); a set needs them apart',
    };
  const [arch, ...others] = machines.flatMap((machine) => archOfName[machine] ?? []);
  if (arch === undefined || others.length > 0)
    return { reason: `UEFI firmware for ${machines.join(' and ') || 'no known machine'}` };
  const smm = drivers.some(({ name }) => name === 'PiSmmCore');
  return { places: [{ part: 'firmware', firmware: firmwareOfArch[arch], arch, smm }] };
}

function placeKernel({ format, pe }: Extract<Inspection, { type: 'kernel' }>): Placed {
  const arch = pe === null ? (format === 'bzImage' ? 'x86_64' : undefined) : archOfMachine[pe.machine];
  return arch === undefined ? unknownMachine(pe?.machineName ?? format) : { places: [{ part: 'kernels', arch }] };
}

/** Where this file goes in a set, from inspecting it; its name only decides what the contents cannot. */
export function placeFile(inspection: Inspection, path: string): Placed {
  switch (inspection.type) {
    case 'option-rom':
      return placeRom(inspection);
    case 'pe':
      return placePe(inspection);
    case 'bios-nbp':
      return placeBiosNbp(inspection, path);
    case 'firmware':
      return placeFirmware(inspection, path);
    case 'bios':
      return { places: [{ part: 'firmware', firmware: 'seabios', arch: 'x86_64', smm: false }] };
    case 'kernel':
      return placeKernel(inspection);
    case 'broken':
      return { reason: `${inspection.looksLike} that is damaged: ${inspection.problem}` };
    case 'unknown':
      return { reason: inspection.guess ?? 'an unknown kind of file' };
  }
}
