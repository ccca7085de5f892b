/** Devices on virtio-mmio and USB are not on PCI, and have no expansion ROM BAR. */
const offPci = /^(virtio-net-device|usb-.*)$/;

export const hasRomBar = (nic: string): boolean => !offPci.test(nic);
