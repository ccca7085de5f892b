import type { Scenario } from './scenario.ts';

/**
 * A cell as each of its boots sees it: with what the boot has of its own in place of the case's. Without `boots` it is the
 * cell itself.
 */
export function bootsOf<Cell extends Pick<Scenario, 'boots'>>(cell: Cell): Cell[] {
  const { boots, ...rest } = cell;
  if (boots === undefined) return [cell];
  return boots.map(({ name: _, ...own }) => ({ ...rest, ...own }) as unknown as Cell);
}
