import { changeOf, type Outcome } from './outcome.ts';

/** The case with parts of the other in it. */
export interface Swap {
  into: 'good' | 'bad';
  parts: readonly string[];
}

/** What a case with exchanged parts did: as the good one, as the bad one, neither, or not to be known. */
export type Likeness = 'good' | 'bad' | 'neither' | 'unknown';

export interface Blame {
  tried: (Swap & { like: Likeness })[];
  /** Parts, or failing that pairs of parts, that make the difference: taken from the other case they turn either into it. */
  culprits: string[][];
}

const isSame = (a: Outcome, b: Outcome): boolean => a.kind === b.kind && changeOf(a, b) === undefined;

export function likenessOf(outcome: Outcome, good: Outcome, bad: Outcome): Likeness {
  if (outcome.kind === 'unknown' || outcome.kind === 'varies') return 'unknown';
  if (isSame(outcome, good)) return 'good';
  return isSame(outcome, bad) ? 'bad' : 'neither';
}

/** Every two of them, in order. */
const pairsOf = (parts: readonly string[]): string[][] =>
  parts.flatMap((a, index) => parts.slice(index + 1).map((b) => [a, b]));

/**
 * Exchanges one part at a time between two cases that differ in `parts`, both ways, then every two of them if no single
 * one makes the difference. All of the parts together need no boot: that is the other case.
 */
export async function findBlame(
  parts: readonly string[],
  boot: (swaps: readonly Swap[]) => Promise<readonly Likeness[]>,
): Promise<Blame> {
  const tried: Blame['tried'] = [];
  const whichOf = async (groups: readonly string[][]): Promise<string[][]> => {
    const whole = groups.filter((group) => group.length === parts.length);
    const swaps = groups
      .filter((group) => !whole.includes(group))
      .flatMap((group): Swap[] => [
        { into: 'bad', parts: group },
        { into: 'good', parts: group },
      ]);
    const likenesses = swaps.length > 0 ? await boot(swaps) : [];
    tried.push(...swaps.map((swap, index) => ({ ...swap, like: likenesses[index] ?? 'unknown' })));
    const turns = (group: string[], into: Swap['into'], like: Likeness) =>
      tried.some((one) => one.parts === group && one.into === into && one.like === like);
    return groups.filter(
      (group) => whole.includes(group) || (turns(group, 'bad', 'good') && turns(group, 'good', 'bad')),
    );
  };
  const alone = await whichOf(parts.map((part) => [part]));
  return { tried, culprits: alone.length > 0 ? alone : await whichOf(pairsOf(parts)) };
}
