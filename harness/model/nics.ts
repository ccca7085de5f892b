import type { Scenario } from './scenario.ts';

/** Devices on virtio-mmio and USB are not on PCI, and have no expansion ROM BAR. */
const offPci = /^(virtio-net-device|usb-.*)$/;

/** The device that a NIC is on PCI: a virtio NIC with its modern interface alone has an id of its own (virtio 1.0 §4.1.2). */
export const pciDeviceOf = ({ nic, virtio }: Pick<Scenario, 'nic' | 'virtio'>): string =>
  nic === 'virtio-net-pci' && virtio === 'modern' ? 'virtio-net-pci-non-transitional' : nic;

export const hasRomBar = (nic: string): boolean => !offPci.test(nic);
