/** How a build does on the cells in question. */
export type BuildState = 'good' | 'bad' | 'unknown';

export interface FirstBad<T> {
  /** The last build found good and the first found bad. */
  good: T;
  bad: T;
  /** Builds between the two that could not be judged. */
  skipped: T[];
}

/** Indices between two, the middle one first and then outwards. */
function fromMiddle(low: number, high: number): number[] {
  const middle = Math.floor((low + high) / 2);
  return Array.from({ length: high - low - 1 }, (_, index) => low + 1 + index).sort(
    (a, b) => Math.abs(a - middle) - Math.abs(b - middle),
  );
}

/**
 * Bisects `builds`, which are in order: the first is known good, the last known bad. Asks about log2 of them, and about
 * more only where one cannot be judged.
 */
export async function findFirstBad<T>(
  builds: readonly T[],
  stateOf: (build: T) => Promise<BuildState>,
): Promise<FirstBad<T>> {
  let low = 0;
  let high = builds.length - 1;
  const unknown = new Set<number>();
  for (;;) {
    const next = fromMiddle(low, high).find((index) => !unknown.has(index));
    if (next === undefined) break;
    const state = await stateOf(builds[next] as T);
    if (state === 'unknown') unknown.add(next);
    else if (state === 'good') low = next;
    else high = next;
  }
  const skipped = [...unknown].filter((index) => index > low && index < high).sort((a, b) => a - b);
  return {
    good: builds[low] as T,
    bad: builds[high] as T,
    skipped: skipped.map((index) => builds[index] as T),
  };
}
