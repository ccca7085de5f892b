import type { CellAxes } from '../model/axis-text.ts';
import { bootsOf } from '../model/boots.ts';
import { isSameRecord } from '../model/canonical-json.ts';
import { idMaxLength } from '../model/case-id.ts';
import { HarnessError } from '../model/errors.ts';
import type { Expectation } from '../model/expectation.ts';
import { type Scenario, settingsShape } from '../model/scenario.ts';
import { defaultMachineOf, expansionOrder, firmwaresOf, fixedDefaults, matches } from './cell-axes.ts';
import { cellIdOf } from './cell-id.ts';
import { hasUnknownFirmware } from './firmware-files.ts';
import { impossibilityOf } from './impossible.ts';
import type { Group, Matrix } from './matrix.ts';
import { asksFor } from './offered-nics.ts';
import { choosePairs } from './pairs.ts';

export interface ExcludedCell {
  id: string;
  reason: string;
  axes: CellAxes;
}

export interface Expansion {
  /** In group order, within a group in the order of its lists. */
  cells: Scenario[];
  /** Impossible, excluded by the matrix, or expected as `notApplicable`. */
  excluded: ExcludedCell[];
  /** Groups reduced to pairs: how many cells were kept, of how many. */
  paired: { group: string; chosen: number; possible: number }[];
}

interface Expanding {
  /** Names the matrix in errors, and `where` the group within it. */
  source: string;
  where: string;
  sets: readonly string[];
}

type Settings = Pick<Scenario, keyof typeof settingsShape>;

function badMatrix(source: string, message: string, hint: string): HarnessError {
  return new HarnessError('bad-matrix', `${source}: ${message}`, { hint, details: { source } });
}

function valuesOf(
  group: Group,
  axis: keyof CellAxes,
  decided: Partial<CellAxes>,
  { source, where, sets }: Expanding,
): readonly unknown[] {
  const given = group[axis];
  if (given !== undefined) return Array.isArray(given) ? given : [given];
  const { arch, firmware } = decided as CellAxes;
  if (axis === 'set') return sets;
  if (axis === 'machine') return [defaultMachineOf({ arch, firmware })];
  if (axis !== 'firmware') return [(fixedDefaults as Partial<CellAxes>)[axis]];
  const [only, ...others] = firmwaresOf[arch];
  if (others.length === 0) return [only];
  const message = `expected a firmware, saw none; ${arch} has more than one (${firmwaresOf[arch].join(', ')})`;
  throw badMatrix(source, `${where}.firmware: ${message}`, `Say "firmware": "${only}".`);
}

/** Far more than anyone runs; a matrix may be untrusted. */
const maxCombinations = 100_000;

function refuseExplosion(group: Group, { source, where }: Expanding): void {
  const count = expansionOrder
    .map((axis) => [group[axis]].flat().length)
    .reduce((product, values) => product * values, 1);
  if (count <= maxCombinations) return;
  const message = `${where}: the lists of this group make ${count} combinations, over the limit of ${maxCombinations}`;
  throw badMatrix(source, message, 'Shorten its lists, or split it into groups.');
}

function productOf(group: Group, expanding: Expanding): CellAxes[] {
  refuseExplosion(group, expanding);
  const start: Partial<CellAxes>[] = [{}];
  const product = expansionOrder.reduce(
    (partials, axis) =>
      partials.flatMap((partial) =>
        valuesOf(group, axis, partial, expanding).map((value) => ({ ...partial, [axis]: value })),
      ),
    start,
  ) as CellAxes[];
  // An axis left open is omitted, so that records omit it too.
  return product.map(
    (cell) => Object.fromEntries(Object.entries(cell).filter(([, value]) => value !== undefined)) as CellAxes,
  );
}

function settingsOf(group: Group): Settings {
  const given = Object.keys(settingsShape)
    .map((key) => [key, group[key as keyof Settings]] as const)
    .filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), expect: group.expect ?? { reaches: 'last' } };
}

function expectationOf(group: Group, cell: CellAxes, fallback: Expectation): Expectation {
  return group.expectations?.findLast(({ when }) => matches(cell, when))?.expect ?? fallback;
}

/** A rule that matches nothing makes a claim about a case that does not exist. */
function refuseDeadRules(
  group: Group,
  cells: Record<'expectations' | 'exclude' | 'tags', readonly CellAxes[]>,
  { source, where }: Expanding,
): void {
  for (const list of ['expectations', 'exclude', 'tags'] as const) {
    const conditions = (group[list] ?? []).map((rule) => (typeof rule === 'string' ? {} : rule.when));
    const dead = conditions.findIndex((when) => !cells[list].some((cell) => matches(cell, when)));
    if (dead < 0) continue;
    const message = `${where}.${list}[${dead}].when: ${JSON.stringify(conditions[dead])} matches no case of this group`;
    throw badMatrix(source, message, 'Correct its values, or remove it.');
  }
}

function expandGroup(group: Group, expanding: Expanding): Expansion {
  const { source, where } = expanding;
  const product = productOf(group, expanding);
  const excluded: ExcludedCell[] = [];
  const exclude = (axes: CellAxes, reason: string) => excluded.push({ id: cellIdOf(group.name, axes), reason, axes });

  const settings = settingsOf(group);
  const possible = product.filter((axes) => {
    const expect = expectationOf(group, axes, settings.expect);
    const reason =
      bootsOf({ ...settings, ...axes, expect })
        .map(impossibilityOf)
        .find((why) => why !== null) ?? null;
    if (reason !== null) exclude(axes, reason);
    return reason === null;
  });
  if (possible.length === 0) {
    const hint = `Nothing would run: ${excluded[0]?.id} is refused because ${excluded[0]?.reason}.`;
    throw badMatrix(source, `${where}: every combination of group "${group.name}" is impossible`, hint);
  }
  if (!asksFor(group) && !hasUnknownFirmware(group))
    refuseDeadRules(group, { expectations: possible, exclude: product, tags: possible }, expanding);

  const cells = possible.flatMap((axes): Scenario[] => {
    const exclusion = group.exclude?.find(({ when }) => matches(axes, when));
    const expect = expectationOf(group, axes, settings.expect);
    if (exclusion) exclude(axes, exclusion.reason);
    else if ('notApplicable' in expect) exclude(axes, expect.notApplicable);
    else return [{ ...axes, ...settings, id: cellIdOf(group.name, axes), group: group.name, expect }];
    return [];
  });
  if (!group.pairs) return { cells, excluded, paired: [] };
  const chosen = choosePairs(cells, expansionOrder);
  return {
    cells: chosen,
    excluded,
    paired: [{ group: group.name, chosen: chosen.length, possible: cells.length }],
  };
}

function differenceOf(one: Scenario, other: Scenario): string {
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])] as (keyof Scenario)[];
  const differing = keys.filter((key) => !isSameRecord(one[key], other[key]));
  return differing.length === 0 ? 'they are the same cell twice' : `they differ in ${differing.join(', ')}`;
}

function refuseBadIds(cells: readonly Scenario[], source: string): void {
  const seen = new Map<string, Scenario>();
  for (const cell of cells) {
    if (cell.id.length > idMaxLength) {
      const message = `the case id ${cell.id} has ${cell.id.length} characters, at most ${idMaxLength} can name a directory`;
      throw badMatrix(source, message, 'Shorten the group name, or the names of the files it uses.');
    }
    // On a case-insensitive file system both would share one directory.
    const earlier = seen.get(cell.id.toLowerCase());
    if (earlier) {
      const message = `two cases have the id ${cell.id}, of groups "${earlier.group}" and "${cell.group}"; ${differenceOf(earlier, cell)}`;
      throw badMatrix(source, message, 'Give the groups different names, remove the repeated value, or rename a file.');
    }
    seen.set(cell.id.toLowerCase(), cell);
  }
}

/**
 * The full product of each group's axes, less what cannot be. `source` names the matrix in errors
 * (`bad-matrix`: ambiguous firmware, a rule that matches nothing, two cases of one id); `sets` are the
 * artefact sets of groups that name none.
 */
export function expandMatrix(
  matrix: Matrix,
  source: string = matrix.name,
  sets: readonly string[] = [fixedDefaults.set],
): Expansion {
  const expansions = matrix.groups.map((group, index) =>
    expandGroup(group, { source, where: `groups[${index}]`, sets }),
  );
  const cells = expansions.flatMap((expansion) => expansion.cells);
  refuseBadIds(cells, source);
  return {
    cells,
    excluded: expansions.flatMap((expansion) => expansion.excluded),
    paired: expansions.flatMap((expansion) => expansion.paired),
  };
}
