import type { Axis, Rom, Scenario, TransportPlan } from './scenario.ts';
import { transportsOf } from './transports.ts';

/** The coordinates of one cell, every axis decided. */
export type CellAxes = Pick<Scenario, Axis>;

/** An axis of the machine that a cell leaves to the harness. */
const leftOpen = 'default';

const baseName = (path: string): string => path.split(/[/\\]/).at(-1) || path;

function transportText(plan: TransportPlan): string {
  if (typeof plan === 'string') return plan;
  const others = Object.entries(transportsOf(plan)).filter(([, transport]) => transport !== 'tftp');
  return others.map(([fetch, transport]) => `${fetch}-${transport}`).join('+') || 'tftp';
}

/** What is in the ROM BAR by kind; null for a file. */
export function romKindOf(rom: Rom): string | null {
  if (typeof rom === 'string') return rom;
  return 'kind' in rom ? rom.kind : null;
}

/** How people write an axis value: in filters, ids, reports and diagnoses. Files go by their base name. */
export function axisText(cell: CellAxes, axis: Axis): string {
  const value = cell[axis];
  if (value === undefined) return leftOpen;
  if (typeof value !== 'object') return String(value);
  if (axis === 'transport') return transportText(cell.transport);
  if ('code' in value) return baseName(value.code);
  if ('file' in value) return baseName(value.file);
  return 'set' in value ? `${value.kind}@${value.set}` : '';
}
