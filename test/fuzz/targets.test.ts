import { describe, expect, test } from 'vitest';
import { targets } from './targets.ts';

describe('for any input', { timeout: 120_000 }, () => {
  test.each(targets.map((target) => [target.name, target.holds, target] as const))('%s: %s', async (_, __, target) => {
    const { failure } = await target.run({ seed: 1, runs: target.testRuns });
    expect(failure).toBeUndefined();
  });
});
