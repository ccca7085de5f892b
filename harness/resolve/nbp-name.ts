import type { FirmwareInterface } from '../model/axes.ts';
import type { Scenario } from '../model/scenario.ts';

/** The name under which each second stage is served; the usual ones, because loaders derive further names from them. */
export function nbpName({ secondStage, arch }: Scenario, firmware: FirmwareInterface): string {
  const bios = firmware === 'bios';
  if (typeof secondStage === 'object') return secondStage.file.split('/').at(-1) as string;
  const x86 = arch === 'x86_64';
  const table: Record<Exclude<Scenario['secondStage'], object>, string> = {
    none: '',
    undionly: 'undionly.kpxe',
    snponly: x86 ? 'snponly.efi' : 'snponly-arm64.efi',
    ipxe: bios ? 'ipxe.pxe' : x86 ? 'ipxe.efi' : 'ipxe-arm64.efi',
    'shim-grub': x86 ? 'shimx64.efi' : 'shimaa64.efi',
    grub: x86 ? 'grubx64.efi' : 'grubaa64.efi',
    pxelinux: 'pxelinux.0',
    syslinux: 'syslinux.efi',
    linux: x86 ? 'linux-x64.efi' : 'linux-aa64.efi',
    uki: x86 ? 'uki-x64.efi' : 'uki-aa64.efi',
    probe: bios ? 'probe.0' : x86 ? 'probe-x64.efi' : 'probe-aa64.efi',
  };
  return table[secondStage];
}
