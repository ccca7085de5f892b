export interface PciId {
  readonly vendorId: number;
  readonly deviceId: number;
}

const id = (vendorId: number, deviceId: number): PciId => ({ vendorId, deviceId });

/** PCI ids of QEMU's NICs, read with `query-pci` from QEMU 7.2; igb's from its data sheet's 82576. */
const table: Readonly<Record<string, PciId>> = {
  e1000: id(0x8086, 0x100e),
  'e1000-82540em': id(0x8086, 0x100e),
  'e1000-82544gc': id(0x8086, 0x100c),
  'e1000-82545em': id(0x8086, 0x100f),
  e1000e: id(0x8086, 0x10d3),
  igb: id(0x8086, 0x10c9),
  // The family has three ids; models that share one differ only in revision.
  i82550: id(0x8086, 0x1209),
  i82551: id(0x8086, 0x1209),
  i82557a: id(0x8086, 0x1229),
  i82557b: id(0x8086, 0x1229),
  i82557c: id(0x8086, 0x1229),
  i82558a: id(0x8086, 0x1229),
  i82558b: id(0x8086, 0x1229),
  i82559a: id(0x8086, 0x1229),
  i82559b: id(0x8086, 0x1229),
  i82559c: id(0x8086, 0x1229),
  i82559er: id(0x8086, 0x1209),
  i82562: id(0x8086, 0x1209),
  i82801: id(0x8086, 0x2449),
  ne2k_pci: id(0x10ec, 0x8029),
  pcnet: id(0x1022, 0x2000),
  rocker: id(0x1b36, 0x0006),
  rtl8139: id(0x10ec, 0x8139),
  tulip: id(0x1011, 0x0019),
  vmxnet3: id(0x15ad, 0x07b0),
  'virtio-net-pci-transitional': id(0x1af4, 0x1000),
  'virtio-net-pci-non-transitional': id(0x1af4, 0x1041),
};

const virtioTransitional = id(0x1af4, 0x1000);
const virtioModern = id(0x1af4, 0x1041);

/** Each id once. */
export function knownPciIds(): PciId[] {
  const all = [...Object.values(table), virtioTransitional, virtioModern];
  return [...new Map(all.map((known) => [known.vendorId * 0x10000 + known.deviceId, known])).values()];
}

/**
 * `undefined`: not on PCI, or unknown. `onExpress`: a plain virtio-net-pci is transitional on a conventional bus
 * (and on the root bus of q35 and virt), and modern behind a PCI Express root port.
 */
export function pciIdOf(nic: string, { onExpress = false }: { onExpress?: boolean } = {}): PciId | undefined {
  if (nic === 'virtio-net-pci' || nic === 'virtio-net') return onExpress ? virtioModern : virtioTransitional;
  return table[nic];
}

/** QEMU's NICs with these ids; empty where QEMU has no such device. */
export function nicsOfPciId({ vendorId, deviceId }: PciId): string[] {
  const isIt = (ids: PciId): boolean => ids.vendorId === vendorId && ids.deviceId === deviceId;
  const plain = isIt(virtioTransitional) || isIt(virtioModern) ? ['virtio-net-pci'] : [];
  return [...plain, ...Object.keys(table).filter((nic) => isIt(table[nic] as PciId))];
}
