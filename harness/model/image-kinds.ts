/**
 * What the first bytes of a delivered file show it to be. `efi-…`: a PE image of that machine type, by the names of UEFI's
 * removable media (UEFI 2.10 §3.5.1.1); `bzimage`: an x86 kernel, which may be a PE image too; `ipxe-script`; `other`.
 */
export const imageKinds = [
  'efi-ia32',
  'efi-x64',
  'efi-arm',
  'efi-aa64',
  'efi-riscv64',
  'efi-loongarch64',
  'efi-other',
  'bzimage',
  'ipxe-script',
  'other',
] as const;
export type ImageKind = (typeof imageKinds)[number];
