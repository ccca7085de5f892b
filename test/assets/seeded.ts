import { randomFrom } from '../../harness/wire/faults/random.ts';

/** Repeatable whole numbers below a bound. */
export function seeded(seed: number): (below: number) => number {
  const random = randomFrom(seed);
  return (below) => Math.floor(random() * below);
}
