import { bootsOf } from './boots.ts';
import { isVague } from './expectation.ts';
import type { Scenario } from './scenario.ts';

/** Expectations that any failure of a whole family would meet: one line per group and rule. */
export function vagueExpectations(cells: readonly Scenario[]): string[] {
  const vague = new Map<string, number>();
  for (const { group, expect } of cells.flatMap(bootsOf)) {
    if (!('failure' in expect)) continue;
    for (const { rule } of expect.failure.filter(isVague)) {
      const line = `group "${group}" expects ${rule}, whatever it says`;
      vague.set(line, (vague.get(line) ?? 0) + 1);
    }
  }
  return [...vague].map(
    ([line, count]) =>
      `${line} (${count} ${count === 1 ? 'case' : 'cases'}): another failure of that kind would pass too`,
  );
}
