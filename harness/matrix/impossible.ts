import type { SecondStage } from '../model/axes.ts';
import { type CellAxes, romKindOf } from '../model/axis-text.ts';
import { interfaceOfFirmware } from '../model/firmware-interface.ts';
import { hasRomBar } from '../model/nics.ts';
import { isShared, programsOf, relayOf } from '../model/provisioner.ts';
import { relayedServer } from '../model/relay.ts';
import type { Scenario } from '../model/scenario.ts';
import { transportsOf } from '../model/transports.ts';
import { impossibleFaultOf } from './impossible-faults.ts';

/** The axes of a cell, and those group settings that not every cell can have. */
type Cell = CellAxes &
  Pick<
    Scenario,
    | 'certificate'
    | 'configuration'
    | 'expect'
    | 'faults'
    | 'managedIpv6'
    | 'proxyDhcp'
    | 'provisioner'
    | 'sanHook'
    | 'standIn'
    | 'strictServer'
    | 'vlan'
  >;

interface Impossibility {
  applies: (cell: Cell) => boolean;
  reason: string;
}

const stageIn =
  (...stages: SecondStage[]) =>
  ({ secondStage }: CellAxes) =>
    typeof secondStage === 'string' && stages.includes(secondStage);
/** A firmware file that does not say what it is fits neither. */
const isBios = (cell: CellAxes) => interfaceOfFirmware(cell.firmware) === 'bios';
const isUefi = (cell: CellAxes) => interfaceOfFirmware(cell.firmware) === 'uefi';
const isMachine = (pattern: RegExp) => (cell: CellAxes) => pattern.test(cell.machine);
const isPcMachine = isMachine(/^(pc|q35|isapc|microvm)\b/);
const isVirtMachine = isMachine(/^virt\b/);
const isI440fx = isMachine(/^pc(-i440fx.*)?(,.*)?$/);
const bootsKernel = ({ payload }: CellAxes) => payload === 'linux' || payload === 'installer';
const servicesOf = ({ provisioner }: Cell) => programsOf(provisioner ?? []).flatMap(({ serves = [] }) => serves);
/** Kinds without an iPXE that fetches files by itself under UEFI. */
const romsWithoutIpxe: readonly (string | null)[] = [
  'none',
  'rombar-off',
  'bios',
  'snp',
  'vendor-snp',
  'foreign',
  'app',
];

/** Devices that QEMU lists as network devices but that cannot be the only NIC to boot from. */
const noBootDevices: Readonly<Record<string, string>> = {
  rocker: 'rocker is a switch: its ports take the netdevs, and QEMU gives it neither bootindex nor netdev of its own',
  pvrdma: 'pvrdma is an RDMA function that QEMU starts only next to a vmxnet3, and it has no bootindex',
};

/** Combinations that no build could ever boot; one that merely fails is an expectation instead. */
const impossibilities: readonly Impossibility[] = [
  {
    applies: (cell) => isBios(cell) && cell.arch === 'aarch64',
    reason: 'SeaBIOS is x86 firmware; there is no legacy BIOS on aarch64',
  },
  {
    applies: (cell) => cell.firmware === 'ovmf' && cell.arch === 'aarch64',
    reason: 'OVMF is x86 firmware; its aarch64 build is called AAVMF',
  },
  {
    applies: (cell) => cell.firmware === 'aavmf' && cell.arch === 'x86_64',
    reason: 'AAVMF is aarch64 firmware; its x86 build is called OVMF',
  },
  {
    applies: (cell) => isPcMachine(cell) && cell.arch === 'aarch64',
    reason: 'pc, q35, isapc and microvm are x86 machines; aarch64 boots on virt',
  },
  {
    applies: (cell) => isVirtMachine(cell) && cell.arch === 'x86_64',
    reason: 'QEMU has no virt machine for x86_64; use pc or q35',
  },
  {
    applies: (cell) => stageIn('undionly')(cell) && isUefi(cell),
    reason: "undionly.kpxe drives the NIC through PXE's UNDI interface, which UEFI does not offer",
  },
  {
    applies: (cell) => stageIn('pxelinux')(cell) && isUefi(cell),
    reason: 'pxelinux is a BIOS program; UEFI has syslinux.efi',
  },
  {
    applies: (cell) => stageIn('syslinux')(cell) && cell.arch === 'aarch64',
    reason: 'syslinux has no arm64 build',
  },
  {
    applies: (cell) => stageIn('snponly', 'shim-grub', 'syslinux', 'linux', 'uki')(cell) && isBios(cell),
    reason: 'this second stage is an EFI program, and SeaBIOS runs none',
  },
  {
    applies: (cell) => cell.secureBoot !== 'off' && isBios(cell),
    reason: 'Secure Boot is a UEFI feature; SeaBIOS has none',
  },
  {
    applies: (cell) => cell.secureBoot !== 'off' && isUefi(cell) && isI440fx(cell),
    reason: 'OVMF guards its Secure Boot variables with SMM, which machine pc lacks; use q35',
  },
  {
    applies: (cell) => cell.ipVersion === 6 && isBios(cell) && romKindOf(cell.rom) === 'vendor-pxe',
    reason: "a vendor's PXE ROM on a legacy BIOS is IPv4 only (PXE 2.1)",
  },
  {
    applies: (cell) => romKindOf(cell.rom) === 'vendor-pxe' && transportsOf(cell.transport).nbp !== 'tftp',
    reason: "a vendor's PXE ROM fetches its NBP by TFTP only (PXE 2.1)",
  },
  {
    applies: (cell) =>
      isUefi(cell) &&
      cell.secondStage !== 'none' &&
      transportsOf(cell.transport).nbp === 'nfs' &&
      romsWithoutIpxe.includes(romKindOf(cell.rom)),
    reason: 'UEFI firmware fetches its NBP by TFTP or HTTP; over NFS only an option ROM with a full iPXE does',
  },
  {
    applies: (cell) => {
      const { config, payload } = transportsOf(cell.transport);
      return stageIn('shim-grub', 'grub', 'syslinux')(cell) && (config === 'nfs' || payload === 'nfs');
    },
    reason: 'GRUB and syslinux.efi have no NFS client',
  },
  {
    applies: (cell) => cell.nic === 'virtio-net-device' && isPcMachine(cell) && !isMachine(/^microvm\b/)(cell),
    reason: 'virtio-net-device sits on virtio-mmio, which pc and q35 do not have',
  },
  {
    applies: (cell) => !hasRomBar(cell.nic) && cell.rom !== 'none',
    reason: "this NIC is not a PCI device and so has no option ROM; use rom 'none'",
  },
  {
    applies: (cell) =>
      stageIn('shim-grub', 'grub', 'pxelinux', 'syslinux', 'linux', 'uki')(cell) &&
      (cell.payload === 'script' || cell.payload === 'iscsi' || cell.payload === 'disk'),
    reason: 'the script, iscsi and disk payloads are iPXE scripts, which only iPXE runs; use payload linux',
  },
  {
    applies: (cell) => stageIn('probe')(cell) && cell.payload !== 'probe',
    reason: 'the probe is the end of its own path; use payload probe',
  },
  {
    applies: (cell) => cell.payload === 'probe' && !stageIn('probe')(cell) && typeof cell.secondStage === 'string',
    reason: 'payload probe is a second stage that does nothing else; use secondStage probe, or a file',
  },
  {
    applies: (cell) => stageIn('pxelinux', 'syslinux')(cell) && cell.ipVersion === 6,
    reason: 'pxelinux and syslinux.efi speak IPv4 only',
  },
  {
    // pxelinux opens such URLs through the iPXE that loaded it.
    applies: (cell) => stageIn('syslinux')(cell) && transportsOf(cell.transport).payload === 'https',
    reason: 'syslinux.efi has no TLS',
  },
  {
    applies: (cell) =>
      cell.standIn === true && (cell.configuration !== 1 || isUefi(cell) || cell.secondStage === 'none'),
    reason: "standIn has iPXE's BIOS ROM stand in for a vendor's, which loads a second stage: configuration 1 only",
  },
  {
    applies: (cell) => cell.proxyDhcp === true && cell.ipVersion === 6,
    reason: 'proxyDHCP supplements a DHCPv4 server (PXE 2.1); DHCPv6 has no equivalent (RFC 5970)',
  },
  {
    applies: (cell) => cell.managedIpv6 !== undefined && cell.ipVersion === 4,
    reason: 'managedIpv6 says how a guest comes by its IPv6 address; use ipVersion 6',
  },
  {
    applies: (cell) => cell.certificate !== undefined && !Object.values(transportsOf(cell.transport)).includes('https'),
    reason: 'only HTTPS uses a certificate; use transport https for a fetch',
  },
  {
    applies: (cell) => cell.virtio !== undefined && cell.nic !== 'virtio-net-pci',
    reason: 'virtio says which interface a virtio-net-pci offers; this NIC is another',
  },
  {
    applies: (cell) => cell.vlan !== undefined && !stageIn('none', 'undionly', 'snponly', 'ipxe')(cell),
    reason: "the VLAN is made by the harness's script for iPXE; use secondStage none, undionly, snponly or ipxe",
  },
  {
    applies: (cell) => cell.vlan !== undefined && (cell.provisioner !== undefined || cell.bootNic !== undefined),
    reason: "the VLAN is the harness's own network on the only NIC: it goes with no provisioner and no bootNic",
  },
  {
    applies: (cell) =>
      isShared(cell.provisioner) && !servicesOf(cell).includes(cell.ipVersion === 6 ? 'dhcpv6' : 'dhcp'),
    reason:
      'guests that share a server need addresses of their own: a provisioner with scope group serves dhcp, or dhcpv6 for ipVersion 6',
  },
  {
    applies: ({ provisioner, ipVersion }) => {
      const relay = relayOf(provisioner);
      return relay !== undefined && relayedServer(relay, ipVersion) === undefined;
    },
    reason: "the relay lists no server for this cell's version of IP; add one, such as 127.0.0.1:6767 or [::1]:5547",
  },
  {
    applies: (cell) => cell.sanHook === true && !bootsKernel(cell),
    reason:
      'sanHook attaches a disk before a kernel boots; use payload linux or installer, or iscsi to boot from the disk',
  },
  {
    applies: (cell) => cell.sanHook === true && stageIn('shim-grub', 'grub', 'pxelinux', 'syslinux', 'linux')(cell),
    reason: 'only iPXE attaches a SAN disk, and this second stage is another',
  },
];

/** Why this cell cannot exist, or null. */
export function impossibilityOf(cell: Cell): string | null {
  return (
    noBootDevices[cell.nic] ?? impossibilities.find(({ applies }) => applies(cell))?.reason ?? impossibleFaultOf(cell)
  );
}
