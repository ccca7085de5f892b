import { HarnessError } from '../model/errors.ts';
import type { Scenario } from '../model/scenario.ts';
import { matches } from './cell-axes.ts';
import type { Matrix } from './matrix.ts';

const smokeTag = 'smoke';

/**
 * The few cells that a quick run takes: those tagged `smoke`.
 * @throws HarnessError `usage` if there are none
 */
export function smokeCells({ name, groups }: Matrix, cells: readonly Scenario[]): Scenario[] {
  const tagsOf = new Map(groups.map((group) => [group.name, group.tags ?? []]));
  const chosen = cells.filter((cell) =>
    tagsOf
      .get(cell.group)
      ?.some((one) => (typeof one === 'string' ? one === smokeTag : one.tag === smokeTag && matches(cell, one.when))),
  );
  if (chosen.length > 0) return chosen;
  throw new HarnessError('usage', `--smoke: no case of the matrix "${name}" is tagged "smoke"`, {
    hint: 'Give a group "tags": ["smoke"], or [{ "tag": "smoke", "when": { "nic": "e1000" } }] for some of its cases.',
  });
}
