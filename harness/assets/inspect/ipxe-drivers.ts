import { knownPciIds, type PciId } from '../rom/pci-ids.ts';

/** `struct pci_device_id` of 64-bit builds (iPXE include/ipxe/pci.h): a name's address, then both ids, then padding. */
const idsOffset = 8;

function isIn(image: Buffer, { vendorId, deviceId }: PciId): boolean {
  const ids = Buffer.alloc(8);
  ids.writeUInt16LE(vendorId, 0);
  ids.writeUInt16LE(deviceId, 2);
  for (let at = image.indexOf(ids); at >= 0; at = image.indexOf(ids, at + 1)) {
    if (at % 8 !== 0 || at < idsOffset) continue;
    // Addresses are relative to the start of the image until firmware relocates them.
    const name = image.readBigUInt64LE(at - idsOffset);
    if (name > 0n && name < BigInt(image.length) * 4n) return true;
  }
  return false;
}

export const pciIdText = ({ vendorId, deviceId }: PciId): string =>
  [vendorId, deviceId].map((value) => value.toString(16).padStart(4, '0')).join(':');

/** PCI ids of QEMU's NICs, as `8086:100e`, in the driver tables of an uncompressed 64-bit iPXE image. */
export function drivenPciIds(image: Buffer): string[] {
  return knownPciIds().flatMap((id) => (isIn(image, id) ? [pciIdText(id)] : []));
}
