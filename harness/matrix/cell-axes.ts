import type { Arch, Firmware } from '../model/axes.ts';
import type { CellAxes } from '../model/axis-text.ts';
import { isSameRecord } from '../model/canonical-json.ts';
import { interfaceOfFirmware } from '../model/firmware-interface.ts';
import { type Axis, hostQemu } from '../model/scenario.ts';
import type { CellCondition } from './matrix.ts';

/** Expansion order: an axis whose default depends on others comes after them. */
export const expansionOrder = [
  'arch',
  'firmware',
  'machine',
  'set',
  'nic',
  'rom',
  'secondStage',
  'transport',
  'payload',
  'secureBoot',
  'ipVersion',
  'qemu',
  'memoryMiB',
  'cpu',
  'serialPorts',
  'virtio',
  'bootNic',
] as const satisfies readonly Axis[];

export const firmwaresOf: Record<Arch, readonly Firmware[]> = { x86_64: ['seabios', 'ovmf'], aarch64: ['aavmf'] };

/** Values of axes that a group leaves out; `arch` and `nic` have none. */
export const fixedDefaults = {
  set: 'host',
  rom: 'bundled',
  secondStage: 'none',
  transport: 'tftp',
  payload: 'script',
  secureBoot: 'off',
  ipVersion: 4,
  qemu: hostQemu,
} as const satisfies Partial<CellAxes>;

export function defaultMachineOf({ arch, firmware }: Pick<CellAxes, 'arch' | 'firmware'>): string {
  if (arch === 'aarch64') return 'virt';
  return interfaceOfFirmware(firmware) === 'bios' ? 'pc' : 'q35';
}

export function matches(cell: CellAxes, when: CellCondition): boolean {
  return expansionOrder.every((axis) => {
    const wanted = when[axis];
    if (wanted === undefined) return true;
    const value = cell[axis];
    return (Array.isArray(wanted) ? wanted : [wanted]).some((one) => isSameRecord(one, value));
  });
}
