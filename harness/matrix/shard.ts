import { HarnessError } from '../model/errors.ts';

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

/**
 * One of `count` parts of about equal length, in the items' order: from the longest on, each item goes to the part that
 * has least so far. The same items and lengths make the same parts.
 */
export function takeShard<T extends { id: string }>(
  items: readonly T[],
  { index, count }: Shard,
  lengthOf: (item: T) => number,
): T[] {
  const lengths = new Map(items.map((item) => [item, lengthOf(item)]));
  const length = (item: T): number => lengths.get(item) ?? 0;
  const totals = Array.from({ length: count }, () => 0);
  const taken = new Set<T>();
  for (const item of [...items].sort((a, b) => length(b) - length(a) || byText(a.id, b.id))) {
    const least = totals.indexOf(Math.min(...totals));
    totals[least] = (totals[least] as number) + length(item);
    if (least === index - 1) taken.add(item);
  }
  return items.filter((item) => taken.has(item));
}
