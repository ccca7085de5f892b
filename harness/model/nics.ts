import type { Scenario } from './scenario.ts';

/** virtio-mmio and USB devices are not on PCI and have no expansion ROM BAR. */
const offPci = /^(virtio-net-device|usb-.*)$/;

/** The PCI device that a NIC is: a modern-only virtio NIC has a device id of its own (virtio 1.0 §4.1.2). */
export const pciDeviceOf = ({ nic, virtio }: Pick<Scenario, 'nic' | 'virtio'>): string =>
  nic === 'virtio-net-pci' && virtio === 'modern' ? 'virtio-net-pci-non-transitional' : nic;

export const hasRomBar = (nic: string): boolean => !offPci.test(nic);
