import { basename } from 'node:path';
import type { Arch, Firmware, Transport } from '../model/axes.ts';
import type { Axis, Rom, Scenario, TransportPlan } from '../model/scenario.ts';
import type { CellCondition } from './matrix.ts';

/** The coordinates of one cell, every axis decided. */
export type CellAxes = Pick<Scenario, Axis>;

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
} as const satisfies Partial<CellAxes>;

export function defaultMachineOf({ arch, firmware }: Pick<CellAxes, 'arch' | 'firmware'>): string {
  if (arch === 'aarch64') return 'virt';
  return firmware === 'seabios' ? 'pc' : 'q35';
}

/** Each fetch with its transport; a fetch that is not named goes by TFTP. */
export function transportsOf(transport: TransportPlan): Record<'nbp' | 'config' | 'payload', Transport> {
  if (typeof transport === 'string') return { nbp: transport, config: transport, payload: transport };
  return { nbp: transport.nbp ?? 'tftp', config: transport.config ?? 'tftp', payload: transport.payload ?? 'tftp' };
}

export function romKindOf(rom: Rom): string | null {
  if (typeof rom === 'string') return rom;
  return 'kind' in rom ? rom.kind : null;
}

function transportText(plan: TransportPlan): string {
  if (typeof plan === 'string') return plan;
  const others = Object.entries(transportsOf(plan)).filter(([, transport]) => transport !== 'tftp');
  return others.map(([fetch, transport]) => `${fetch}-${transport}`).join('+') || 'tftp';
}

/** How people write an axis value: in filters, ids and tables. Files go by their base name. */
export function axisText(cell: CellAxes, axis: Axis): string {
  const value = cell[axis];
  if (typeof value !== 'object') return String(value);
  if (axis === 'transport') return transportText(cell.transport);
  if ('code' in value) return basename(value.code);
  if ('file' in value) return basename(value.file);
  return 'set' in value ? `${value.kind}@${value.set}` : '';
}

/** Key order does not matter to a reader, so neither to a comparison. */
function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && canonical(a) === canonical(b));
}

export function matches(cell: CellAxes, when: CellCondition): boolean {
  return expansionOrder.every((axis) => {
    const wanted = when[axis];
    if (wanted === undefined) return true;
    const value = cell[axis];
    return (Array.isArray(wanted) ? wanted : [wanted]).some((one) => isSame(one, value));
  });
}
