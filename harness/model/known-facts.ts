/**
 * What is known about firmware, iPXE and QEMU that no file shows. Expectations, predictions and diagnoses take their
 * wording from here.
 */
interface KnownFact {
  /** A clause that explains why a boot behaves as it does. */
  readonly says: string;
  /** Where it is documented, or what it was measured with. */
  readonly source: string;
}

const facts = {
  'seabios-boots-by-rom': {
    says: 'SeaBIOS boots from a NIC only through a BIOS image in its option ROM',
    source: 'https://github.com/coreboot/seabios/blob/master/src/optionroms.c',
  },
  'seabios-compares-ids': {
    says: "SeaBIOS passes over an image with another device's ids, and QEMU patches only a ROM that it chose itself",
    source: 'https://github.com/coreboot/seabios/blob/master/src/optionroms.c, QEMU hw/pci/pci.c (pci_patch_ids)',
  },
  'uefi-starts-drivers': {
    says: "UEFI's PCI bus driver starts images of subsystem 11 and 12 only",
    source: 'edk2 MdeModulePkg/Bus/Pci/PciBusDxe/PciOptionRomSupport.c (ContainEfiImage, ProcessOpRomImage)',
  },
  'uefi-no-emulator': {
    says: 'the image is for another machine type, and this firmware has no emulator for it',
    source: 'edk2 MdeModulePkg/Bus/Pci/PciBusDxe/PciOptionRomSupport.c (LoadOpRomImage)',
  },
  'aavmf-refuses-unsigned-roms': {
    says: 'under Secure Boot AAVMF refuses an unsigned ROM image',
    source:
      'edk2 PcdOptionRomImageVerificationPolicy, which OvmfPkg alone sets to "always execute"; measured on 2022.11',
  },
  'uefi-runs-signed': {
    says: 'the firmware runs only what a key of its database has signed',
    source: 'UEFI Specification 2.10, §32.5 (image verification)',
  },
  'edk2-network-wants-random': {
    says: 'since 2024.05 the network drivers of EDK II are not started without a source of random numbers, so there is no PXE boot option at all',
    source: 'https://github.com/tianocore/edk2/issues/9530',
  },
  'ipxe-no-port-io-on-arm': {
    says: 'iPXE has no port I/O on Arm (every port reads as all ones), and its driver for this NIC uses nothing else',
    source: 'https://github.com/ipxe/ipxe/blob/v2.0.0/src/include/ipxe/dummy_pio.h',
  },
  'ipxe2-without-ne2000': {
    says: "iPXE 2's ipxe.efi has no driver for NE2000 cards: ns8390.c names ISA cards first, and the script that lists the drivers files it under ISA, which a UEFI build leaves out",
    source: 'https://github.com/ipxe/ipxe/blob/v2.0.0/src/util/parserom.pl',
  },
  'ipxe-eepro100-stalls': {
    says: "iPXE's eepro100 driver keeps four receive descriptors, and UEFI asks for four TFTP blocks at a time: after some bursts the ROM receives no more, after 60 to 800 kB as measured, and the firmware times out (PXE-E18)",
    source: 'https://github.com/ipxe/ipxe/blob/master/src/drivers/net/eepro100.c',
  },
  'ipxe-vmxnet3-no-interrupts': {
    says: "iPXE's vmxnet3 driver has an interrupt method that does nothing, so the ROM's UNDI claims interrupts and undionly.kpxe waits for one before it ever looks for a packet: nothing is received",
    source: 'https://github.com/ipxe/ipxe/blob/master/src/drivers/net/vmxnet3.c',
  },
  'ipxe2-rom-keeps-its-device': {
    says: "a full iPXE 2 in the ROM leaves its network device's path installed when it is disconnected, so that an iPXE with drivers of its own cannot install its device (EFI_ALREADY_STARTED) and finds none; snponly.efi uses the ROM's",
    source:
      'measured: ROM of iPXE 0ab2277c4 (e1000; virtio-net on Arm), then ipxe.efi of 1.0.0 and 2.0.0 on OVMF, of 1.21.1 and 2.0.0 on AAVMF 2022.11; with DEBUG=efi_snp',
  },
  'rom-application-starts-no-other': {
    says: 'an iPXE application that runs during PCI enumeration cannot start another one',
    source: 'measured: a synchronous exception on AAVMF 2022.11, iPXE error 7f048287 on OVMF 2022.11, with iPXE 2.0.0',
  },
  'rom-application-has-no-console': {
    says: 'an application that runs during PCI enumeration has no console yet to print its token on: use payload linux',
    source: 'measured on OVMF and AAVMF 2022.11 with iPXE 2.0.0',
  },
} as const satisfies Record<string, KnownFact>;

export type KnownFactId = keyof typeof facts;
export const knownFactIds = Object.keys(facts) as [KnownFactId, ...KnownFactId[]];
export const knownFacts: Readonly<Record<KnownFactId, KnownFact>> = facts;

/** Reason and reference of an expectation that rests on a known fact. */
export const because = (id: KnownFactId): { reason: string; reference: string } => ({
  reason: facts[id].says,
  reference: facts[id].source,
});
