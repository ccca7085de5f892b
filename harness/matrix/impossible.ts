import type { SecondStage } from '../model/axes.ts';
import { type CellAxes, romKindOf, transportsOf } from './cell-axes.ts';

interface Impossibility {
  applies: (cell: CellAxes) => boolean;
  reason: string;
}

const stageIn =
  (...stages: SecondStage[]) =>
  ({ secondStage }: CellAxes) =>
    typeof secondStage === 'string' && stages.includes(secondStage);
const isBios = (cell: CellAxes) => cell.firmware === 'seabios';
/** A firmware given by path is not judged: what it is, is the user's business. */
const isUefi = (cell: CellAxes) => cell.firmware === 'ovmf' || cell.firmware === 'aavmf';
const isMachine = (pattern: RegExp) => (cell: CellAxes) => pattern.test(cell.machine);
const isPcMachine = isMachine(/^(pc|q35|isapc|microvm)\b/);
const isVirtMachine = isMachine(/^virt\b/);
const isI440fx = isMachine(/^pc(-i440fx.*)?(,.*)?$/);
const isOffPci = (cell: CellAxes) => ['virtio-net-device', 'usb-net'].includes(cell.nic);

/** Combinations that no build of anything could boot; a combination that merely fails is an expectation instead. */
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
    applies: (cell) => stageIn('snponly', 'shim-grub', 'syslinux', 'linux')(cell) && isBios(cell),
    reason: 'this second stage is an EFI program, and SeaBIOS runs none',
  },
  {
    applies: (cell) => cell.secureBoot !== 'off' && isBios(cell),
    reason: 'Secure Boot is a UEFI feature; SeaBIOS has none',
  },
  {
    applies: (cell) => cell.secureBoot !== 'off' && cell.firmware === 'ovmf' && isI440fx(cell),
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
    applies: (cell) => cell.nic === 'virtio-net-device' && isPcMachine(cell) && !isMachine(/^microvm\b/)(cell),
    reason: 'virtio-net-device sits on virtio-mmio, which pc and q35 do not have',
  },
  {
    applies: (cell) => isOffPci(cell) && cell.rom !== 'none',
    reason: "this NIC is not a PCI device and so has no option ROM; use rom 'none'",
  },
  {
    applies: (cell) =>
      stageIn('shim-grub', 'grub', 'pxelinux', 'syslinux', 'linux')(cell) &&
      (cell.payload === 'script' || cell.payload === 'iscsi'),
    reason: 'the script and iscsi payloads are iPXE scripts, which only iPXE runs; use payload linux',
  },
  {
    applies: (cell) => stageIn('probe')(cell) && cell.payload !== 'probe',
    reason: 'the probe is the end of its own path; use payload probe',
  },
];

/** Why this cell cannot exist, or null. */
export function impossibilityOf(cell: CellAxes): string | null {
  return impossibilities.find(({ applies }) => applies(cell))?.reason ?? null;
}
