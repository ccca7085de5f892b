/**
 * As few of `cells` as cover, for any two axes, every pair of values that occurs (pairwise testing): most faults need one
 * value or two together. Greedy, and deterministic for the same cells in the same order.
 */
export function choosePairs<T extends object>(cells: readonly T[], axes: readonly (keyof T)[]): T[] {
  const varying = axes.filter((axis) => new Set(cells.map((cell) => JSON.stringify(cell[axis]))).size > 1);
  const pairsOf = (cell: T): string[] =>
    varying.flatMap((a, index) =>
      varying.slice(index + 1).map((b) => JSON.stringify([a, cell[a] ?? null, b, cell[b] ?? null])),
    );
  // With one axis that varies there are no pairs, and every value counts.
  if (varying.length < 2) return [...cells];
  const waiting = new Map(cells.map((cell) => [cell, pairsOf(cell)] as const));
  const missing = new Set([...waiting.values()].flat());
  const chosen: T[] = [];
  while (missing.size > 0) {
    const gain = (pairs: readonly string[]) => pairs.filter((pair) => missing.has(pair)).length;
    const [best] = [...waiting].reduce((one, other) => (gain(other[1]) > gain(one[1]) ? other : one));
    for (const pair of waiting.get(best) ?? []) missing.delete(pair);
    waiting.delete(best);
    chosen.push(best);
  }
  return cells.filter((cell) => chosen.includes(cell));
}
