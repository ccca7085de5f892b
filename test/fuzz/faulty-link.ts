import fc from 'fast-check';

/** What becomes of a packet on its way; one that is overtaken arrives later. */
type Fate = 'arrives' | 'is lost' | 'is doubled';

/** More than this many at once are not doubled. */
const most = 60;

/** A link between two ends, whose packets wait until somebody says which is next and what becomes of it. */
export class FaultyLink {
  /** In the order in which they were sent. */
  #onTheirWay: (() => void)[] = [];

  /** `arrive` is called once, more often, or never. */
  send(arrive: () => void): void {
    this.#onTheirWay.push(arrive);
  }

  get isEmpty(): boolean {
    return this.#onTheirWay.length === 0;
  }

  meet(fate: Fate, nth: number): void {
    const at = nth % this.#onTheirWay.length;
    const arrive = this.#onTheirWay[at] as () => void;
    if (fate !== 'is doubled') this.#onTheirWay.splice(at, 1);
    else if (this.#onTheirWay.length < most) this.#onTheirWay.push(arrive);
    if (fate === 'arrives') arrive();
  }

  /** A good link: all arrive, in order. */
  deliverAll(): void {
    while (!this.isEmpty) this.meet('arrives', 0);
  }
}

/** Steps of a link with faults. */
export const fates: fc.Arbitrary<readonly [Fate, number]> = fc.tuple(
  fc.constantFrom<Fate>('arrives', 'arrives', 'arrives', 'is lost', 'is doubled'),
  // Mostly the first.
  fc.oneof(fc.constant(0), fc.nat(20)),
);
