/** SeaBIOS, and a NIC whose ROM in QEMU is iPXE. */
export const bios = { arch: 'x86_64', firmware: 'seabios', set: 'bookworm', nic: 'e1000' } as const;

/** UEFI with a NIC that it drives itself. */
export const ovmf = { arch: 'x86_64', firmware: 'ovmf', set: 'bookworm', nic: 'virtio-net-pci', rom: 'none' } as const;
export const aavmf = {
  arch: 'aarch64',
  firmware: 'aavmf',
  set: 'bookworm',
  nic: 'virtio-net-pci',
  rom: 'none',
} as const;

/** The same with iPXE to load; bookworm has none for Arm. */
export const ovmfThenIpxe = { ...ovmf, secondStage: 'snponly' } as const;
export const aavmfThenIpxe = { ...aavmf, nbpSet: 'forky', secondStage: 'ipxe' } as const;

/** EDK II asks for two minutes and more where nothing answers, and uses a core all the while: by its instructions, seconds. */
export const waits = { icount: 7 } as const;

/** After PXE, EDK II tries HTTP boot: against a closed port (discard) for a moment, against silence for a minute. */
export const closedPortUrl = 'http://{{server}}:9/';
