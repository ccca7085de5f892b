import { ipxeLoaders } from '../model/axes.ts';
import type { Stage } from '../model/stages.ts';
import { beforeNbp, isUefi, loadedBy, romCanRun, type When } from './circumstances.ts';

/** Console text → a stage reached. */
export interface StageRow {
  name: string;
  stage: Stage;
  pattern: RegExp;
  /** Only where this holds. */
  when?: When;
  /** Why the text suffices. */
  proves: string;
}

/**
 * Not anchored to the start of a line: firmware and loaders continue wherever earlier text ended. No other program quotes
 * these words; only the token is a line of its own (`token-rules.ts`).
 */
const ipxeStarts = /\biPXE (initialising devices|\d\S* -- Open Source)/;

/** The first row of each stage wins. */
export const stageRows: readonly StageRow[] = [
  // Platform firmware.
  { name: 'seabios-banner', stage: 'firmware', pattern: /\bSeaBIOS \(version/, proves: "SeaBIOS' first line" },
  { name: 'uefi-banner', stage: 'firmware', pattern: /\bUEFI firmware \(version/, proves: "AAVMF's first line" },
  {
    name: 'bds',
    stage: 'firmware',
    pattern: /BdsDxe: /,
    proves: 'printed by the boot device selection phase of EDK II',
  },
  {
    name: 'uefi-network-start',
    stage: 'firmware',
    pattern: />>Start (PXE|HTTP Boot) over IPv[46]/,
    proves: 'printed by the network boot drivers of EDK II',
  },
  {
    name: 'uefi-shell-banner',
    stage: 'firmware',
    pattern: /UEFI Interactive Shell v/,
    proves: 'the shell is part of the firmware',
  },
  {
    name: 'uefi-dispatched-rom',
    stage: 'firmware',
    pattern: ipxeStarts,
    when: (plan, observed) => isUefi(plan) && romCanRun(plan) && beforeNbp(plan, observed),
    proves: 'a UEFI driver runs from a ROM only once the firmware has dispatched it',
  },
  // Option ROMs.
  {
    name: 'ipxe-bios-rom',
    stage: 'oprom',
    pattern: /\biPXE \(http.*\) [0-9A-F]{2}:[0-9A-F]{2}\.\d .*(PCI|PnP)/i,
    proves: "iPXE's ROM prefix prints its PCI address while the BIOS initialises it",
  },
  {
    name: 'ipxe-rom-start',
    stage: 'oprom',
    pattern: ipxeStarts,
    when: (plan, observed) => romCanRun(plan) && beforeNbp(plan, observed),
    proves: 'iPXE runs before any NBP was delivered, so it came from the ROM',
  },
  // Network boot programs.
  {
    name: 'ipxe-nbp',
    stage: 'nbp',
    pattern: ipxeStarts,
    when: loadedBy(ipxeLoaders),
    proves: 'iPXE starts (again) after the NBP was delivered',
  },
  {
    name: 'grub-menu',
    stage: 'nbp',
    pattern: /(GRUB version|Welcome to GRUB|GNU GRUB)/,
    when: loadedBy(['grub', 'shim-grub']),
    proves: "GRUB's own text",
  },
  {
    name: 'syslinux-banner',
    stage: 'nbp',
    pattern: /\b(PXELINUX|SYSLINUX) \d/,
    when: loadedBy(['pxelinux', 'syslinux']),
    proves: "the loader's copyright line",
  },
  {
    name: 'efi-stub',
    stage: 'nbp',
    pattern: /EFI stub: /,
    when: loadedBy(['linux', 'uki']),
    proves: "the kernel's EFI stub is the NBP, or in it",
  },
  // Kernel.
  {
    name: 'linux-banner',
    stage: 'kernel',
    // Without its time stamp it may be a quotation, unless it has a line to itself.
    pattern: /(\[\s*\d+\.\d+\] |^)Linux version \d/,
    proves: "the kernel's own banner",
  },
];
