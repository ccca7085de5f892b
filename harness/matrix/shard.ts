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

/** Every n-th item: neighbours cost about the same, so interleaving keeps shards even. */
export function takeShard<T>(items: readonly T[], { index, count }: Shard): T[] {
  return items.filter((_, position) => position % count === index - 1);
}
