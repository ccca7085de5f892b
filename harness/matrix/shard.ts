import { HarnessError } from '../model/errors.ts';
import { isShared } from '../model/provisioner.ts';
import type { Scenario } from '../model/scenario.ts';

export interface Shard {
  /** From 1 to `count`. */
  index: number;
  count: number;
}

/** Parses `i/n`, such as `2/3`. Throws `usage`. */
export function parseShard(text: string): Shard {
  const [index, count] = /^(\d{1,4})\/(\d{1,4})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (index === undefined || count === undefined || index < 1 || index > count) {
    const message = `--shard: expected i/n with i from 1 to n, saw "${text}"`;
    throw new HarnessError('usage', message, { hint: 'For example: --shard 1/4' });
  }
  return { index, count };
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

type Item = Pick<Scenario, 'id'> & Partial<Pick<Scenario, 'group' | 'provisioner'>>;

/** Cells that share a server stay together; an id has no blank. */
const unitOf = ({ id, group, provisioner }: Item): string => (isShared(provisioner) ? `group ${group}` : id);

/**
 * One of `count` parts of about equal length, in the items' order: from the longest on, each item goes to the part that
 * has least so far, with those that share its server. The same items and lengths make the same parts.
 */
export function takeShard<T extends Item>(
  items: readonly T[],
  { index, count }: Shard,
  lengthOf: (item: T) => number,
): T[] {
  const lengths = new Map<string, number>();
  for (const item of items) lengths.set(unitOf(item), (lengths.get(unitOf(item)) ?? 0) + lengthOf(item));
  const totals = Array.from({ length: count }, () => 0);
  const taken = new Set<string>();
  for (const [unit, length] of [...lengths].sort(([a, one], [b, other]) => other - one || byText(a, b))) {
    const least = totals.indexOf(Math.min(...totals));
    totals[least] = (totals[least] as number) + length;
    if (least === index - 1) taken.add(unit);
  }
  return items.filter((item) => taken.has(unitOf(item)));
}
