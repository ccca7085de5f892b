import fc from 'fast-check';

/** Says how many messages, frames or commands a run has tried. */
type Count = (inputs: number) => void;

/** One property, and what `fuzz` needs to run it. */
export interface Target {
  readonly name: string;
  /** What holds for any input, in a few words. */
  readonly holds: string;
  /** Runs in `npm test`. */
  readonly testRuns: number;
  /** Runs the property until it fails, for `runs` runs or about `forMs`. */
  run(settings: Settings): Promise<Outcome>;
}

interface Settings {
  readonly seed: number;
  readonly runs: number;
  readonly forMs?: number;
  /** Called as each run begins: one that does not end can be told by it. */
  readonly onRun?: () => void;
}

interface Outcome {
  readonly target: string;
  readonly seed: number;
  /** The failed one included. */
  readonly runs: number;
  readonly inputs: number;
  readonly ms: number;
  /** The shrunk input, and what was wrong with it. */
  readonly failure?: string;
}

interface Property<T> extends Pick<Target, 'name' | 'holds' | 'testRuns'> {
  readonly input: fc.Arbitrary<T>;
  /** Throws where the property does not hold. */
  readonly check: (input: T, count: Count) => void | Promise<void>;
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** The same seed makes the same inputs in the same order. */
export function target<T>({ name, holds, testRuns, input, check }: Property<T>): Target {
  return {
    name,
    holds,
    testRuns,
    async run({ seed, runs, forMs, onRun = () => {} }) {
      const startedMs = performance.now();
      let inputs = 0;
      const property = fc.asyncProperty(input, async (value) => {
        onRun();
        await check(value, (tried) => {
          inputs += tried;
        });
      });
      const limits = forMs === undefined ? {} : { interruptAfterTimeLimit: forMs };
      const details = await fc.check(property, { seed, numRuns: runs, ...limits });
      const outcome = { target: name, seed, runs: details.numRuns, inputs, ms: performance.now() - startedMs };
      if (!details.failed) return outcome;
      return { ...outcome, failure: `${fc.stringify(details.counterexample?.[0])}\n${textOf(details.errorInstance)}` };
    },
  };
}
