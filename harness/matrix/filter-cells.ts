import { axisText } from '../model/axis-text.ts';
import { HarnessError } from '../model/errors.ts';
import type { Axis, Scenario } from '../model/scenario.ts';
import { didYouMean } from './closest.ts';

export interface CellFilter {
  /** Globs (`*`, `?`) on the whole id, or on the group's name; a cell needs to match one of them. */
  ids?: readonly string[];
  /** Values (globs too) by axis; a cell needs to match one of each axis named. */
  axes?: Partial<Record<Axis, readonly string[]>>;
}

function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 'i');
}

function refuse(message: string, hint: string): HarnessError {
  return new HarnessError('usage', message, { hint });
}

function idFilter(cells: readonly Scenario[], globs: readonly string[]): (cell: Scenario) => boolean {
  const patterns = globs.map(globPattern);
  const matchesOne = (pattern: RegExp) => (cell: Scenario) => pattern.test(cell.id) || pattern.test(cell.group);
  const dead = patterns.findIndex((pattern) => !cells.some(matchesOne(pattern)));
  if (dead >= 0) {
    const glob = globs[dead] ?? '';
    const known = [...new Set(cells.flatMap(({ group, id }) => [group, id]))];
    throw refuse(
      `no case matches "${glob}"${didYouMean(glob, known)}`,
      '`netboot list` shows all cases; * stands for any text.',
    );
  }
  return (cell) => patterns.length === 0 || patterns.some((pattern) => matchesOne(pattern)(cell));
}

function axisFilter(cells: readonly Scenario[], axis: Axis, values: readonly string[]): (cell: Scenario) => boolean {
  const known = [...new Set(cells.map((cell) => axisText(cell, axis)))];
  const patterns = values.map(globPattern);
  const dead = patterns.findIndex((pattern) => !known.some((value) => pattern.test(value)));
  if (dead >= 0) {
    const message = `no case has ${axis} "${values[dead]}"${didYouMean(values[dead], known)}`;
    throw refuse(message, `Known here: ${known.sort().join(', ')}.`);
  }
  return (cell) => patterns.some((pattern) => pattern.test(axisText(cell, axis)));
}

/** The cells that match every filter, in their order. Throws `usage` for a filter that matches nothing. */
export function filterCells(cells: readonly Scenario[], { ids = [], axes = {} }: CellFilter): Scenario[] {
  const tests = [
    idFilter(cells, ids),
    ...Object.entries(axes).map(([axis, values]) => axisFilter(cells, axis as Axis, values)),
  ];
  const chosen = cells.filter((cell) => tests.every((test) => test(cell)));
  if (chosen.length === 0 && cells.length > 0) {
    throw refuse('each filter matches some case, but no case matches all of them', 'Give fewer filters.');
  }
  return chosen;
}
