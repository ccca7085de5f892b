import type { ImageKind } from './image-kinds.ts';

interface ClientArch {
  readonly name: string;
  /** What its firmware runs: an EFI image of this kind; undefined for firmware that is not UEFI. */
  readonly runs?: ImageKind;
}

/** Processor architecture types of options 93 and 61 (IANA; RFC 4578 §2.1 with its errata, RFC 5970 §3.3). */
export const clientArchs: Readonly<Record<number, ClientArch>> = {
  0: { name: 'x86 BIOS' },
  6: { name: 'x86 UEFI', runs: 'efi-ia32' },
  7: { name: 'x64 UEFI', runs: 'efi-x64' },
  // By the first printing of RFC 4578; some x64 firmware still sends it.
  9: { name: 'EBC' },
  10: { name: 'ARM 32-bit UEFI', runs: 'efi-arm' },
  11: { name: 'ARM 64-bit UEFI', runs: 'efi-aa64' },
  12: { name: 'PowerPC Open Firmware' },
  13: { name: 'PowerPC ePAPR' },
  14: { name: 'POWER OPAL v3' },
  15: { name: 'x86 UEFI by HTTP', runs: 'efi-ia32' },
  16: { name: 'x64 UEFI by HTTP', runs: 'efi-x64' },
  17: { name: 'EBC by HTTP' },
  18: { name: 'ARM 32-bit UEFI by HTTP', runs: 'efi-arm' },
  19: { name: 'ARM 64-bit UEFI by HTTP', runs: 'efi-aa64' },
  20: { name: 'x86 BIOS by HTTP' },
  21: { name: 'ARM 32-bit U-Boot' },
  22: { name: 'ARM 64-bit U-Boot' },
  25: { name: 'RISC-V 32-bit UEFI' },
  27: { name: 'RISC-V 64-bit UEFI', runs: 'efi-riscv64' },
  31: { name: 's390 basic' },
  32: { name: 's390 extended' },
  37: { name: 'LoongArch 32-bit UEFI' },
  39: { name: 'LoongArch 64-bit UEFI', runs: 'efi-loongarch64' },
};

/** Architectures whose firmware starts a boot sector's kind of program, and no EFI image. */
export const biosArchs: readonly number[] = [0, 20];
