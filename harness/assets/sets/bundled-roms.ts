/**
 * ROM file base names (after `efi-` and `pxe-`) by QEMU NIC, and which of the two QEMU loads when `romfile` is not
 * given: read from QEMU 7.2 as `qom-get romfile` of each realised device. A newer QEMU's answer takes precedence over this table.
 */
interface BundledRom {
  readonly base: string;
  readonly byDefault: 'efi' | 'pxe';
}

const table: readonly { readonly nics: RegExp; readonly rom: BundledRom }[] = [
  // One ROM for the family: iPXE's intel driver matches all three ids, and QEMU patches the id in the first image.
  { nics: /^e1000(-82540em|-82544gc|-82545em)?$/, rom: { base: 'e1000', byDefault: 'efi' } },
  { nics: /^e1000e$/, rom: { base: 'e1000e', byDefault: 'efi' } },
  // The i8255x models share one iPXE driver; QEMU names the BIOS-only file for them although a combined one is shipped.
  { nics: /^i82(550|551|557[abc]|558[ab]|559[abc]|559er|562|801)$/, rom: { base: 'eepro100', byDefault: 'pxe' } },
  { nics: /^ne2k_pci$/, rom: { base: 'ne2k_pci', byDefault: 'efi' } },
  { nics: /^pcnet$/, rom: { base: 'pcnet', byDefault: 'efi' } },
  { nics: /^rtl8139$/, rom: { base: 'rtl8139', byDefault: 'efi' } },
  // Transitional or not, one driver serves both device ids (1000 and 1041).
  { nics: /^virtio-net(-pci(-transitional|-non-transitional)?)?$/, rom: { base: 'virtio', byDefault: 'efi' } },
  { nics: /^vmxnet3$/, rom: { base: 'vmxnet3', byDefault: 'efi' } },
];

export interface BundledRomNames {
  /** Combined file: BIOS image and EFI image. */
  readonly combined: string;
  /** BIOS image only. */
  readonly bios: string;
  /** What QEMU loads by default. */
  readonly byDefault: string;
}

/**
 * `undefined`: QEMU bundles no ROM for this NIC (tulip, rocker, igb) or it has no PCI ROM at all (usb-net,
 * virtio-net-device). `defaultRom` is this QEMU's answer, if it was queried.
 */
export function bundledRomNames(nic: string, defaultRom?: string): BundledRomNames | undefined {
  const said = defaultRom === undefined ? undefined : /^(efi|pxe)-(.+)\.rom$/.exec(defaultRom);
  const rom = said
    ? { base: said[2] as string, byDefault: said[1] as 'efi' | 'pxe' }
    : table.find((row) => row.nics.test(nic))?.rom;
  if (rom === undefined || defaultRom === '') return undefined;
  return {
    combined: `efi-${rom.base}.rom`,
    bios: `pxe-${rom.base}.rom`,
    byDefault: `${rom.byDefault}-${rom.base}.rom`,
  };
}
