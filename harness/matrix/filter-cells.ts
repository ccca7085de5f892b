import { axisText } from '../model/axis-text.ts';
import { didYouMean } from '../model/did-you-mean.ts';
import { HarnessError } from '../model/errors.ts';
import { globMatches } from '../model/glob.ts';
import type { Axis, Scenario } from '../model/scenario.ts';

export interface CellFilter {
  /** Globs (`*`, `?`) on the whole id or on the group's name; a cell must match one of them. */
  ids?: readonly string[];
  /** Values (globs too) by axis; a cell must match one value of each axis named. */
  axes?: Partial<Record<Axis, readonly string[]>>;
}

const matches = (glob: string, text: string): boolean => globMatches(glob.toLowerCase(), text.toLowerCase());

function refuse(message: string, hint: string): HarnessError {
  return new HarnessError('usage', message, { hint });
}

function idFilter(cells: readonly Scenario[], globs: readonly string[]): (cell: Scenario) => boolean {
  const matchesOne = (glob: string) => (cell: Scenario) => matches(glob, cell.id) || matches(glob, cell.group);
  const dead = globs.find((glob) => !cells.some(matchesOne(glob)));
  if (dead !== undefined) {
    const known = [...new Set(cells.flatMap(({ group, id }) => [group, id]))];
    throw refuse(
      `no case matches "${dead}"${didYouMean(dead, known)}`,
      '`netboot list` shows all cases; `*` matches any text.',
    );
  }
  return (cell) => globs.length === 0 || globs.some((glob) => matchesOne(glob)(cell));
}

interface AxisFilter {
  axis: Axis;
  values: readonly string[];
  /** What the user calls the axis, for errors. */
  name: string;
}

function axisFilter(cells: readonly Scenario[], { axis, values, name }: AxisFilter): (cell: Scenario) => boolean {
  const known = [...new Set(cells.map((cell) => axisText(cell, axis)))];
  const dead = values.find((glob) => !known.some((text) => matches(glob, text)));
  if (dead !== undefined) {
    const message = `${name}: no case has "${dead}"${didYouMean(dead, known)}`;
    throw refuse(message, `Known here: ${known.sort().join(', ')}.`);
  }
  return (cell) => values.some((glob) => matches(glob, axisText(cell, axis)));
}

/**
 * The cells that match every filter, in their order; `nameOf` is what the user calls an axis.
 * @throws HarnessError `usage` for a filter that matches nothing
 */
export function filterCells(
  cells: readonly Scenario[],
  { ids = [], axes = {} }: CellFilter,
  nameOf: (axis: Axis) => string = (axis) => axis,
): Scenario[] {
  const tests = [
    idFilter(cells, ids),
    ...(Object.entries(axes) as [Axis, readonly string[]][]).map(([axis, values]) =>
      axisFilter(cells, { axis, values, name: nameOf(axis) }),
    ),
  ];
  const chosen = cells.filter((cell) => tests.every((test) => test(cell)));
  if (chosen.length === 0 && cells.length > 0) {
    throw refuse('each filter matches some case, but no case matches all of them', 'Drop one of the filters.');
  }
  return chosen;
}
