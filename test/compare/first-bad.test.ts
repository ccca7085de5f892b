import { describe, expect, it } from 'vitest';
import { type BuildState, findFirstBad } from '../../harness/compare/first-bad.ts';

const builds = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the first bad build', () => {
  it.each([2, 3, 10, 100, 101])('of %i is found wherever it is, with about log2 of them asked', async (count) => {
    for (let culprit = 1; culprit < count; culprit++) {
      let asked = 0;
      const found = await findFirstBad(builds(count), async (build) => {
        asked++;
        return build < culprit ? 'good' : 'bad';
      });
      expect(found).toEqual({ good: culprit - 1, bad: culprit, skipped: [] });
      expect(asked).toBeLessThanOrEqual(Math.ceil(Math.log2(count)));
    }
  });

  it('is searched for around builds that cannot tell, and those between are named', async () => {
    const states: Record<number, BuildState> = { 4: 'unknown', 5: 'unknown', 7: 'unknown' };
    const stateOf = async (build: number): Promise<BuildState> => states[build] ?? (build < 6 ? 'good' : 'bad');
    expect(await findFirstBad(builds(10), stateOf)).toEqual({ good: 3, bad: 6, skipped: [4, 5] });
  });

  it('may be among builds none of which can tell', async () => {
    expect(await findFirstBad(builds(4), async () => 'unknown')).toEqual({ good: 0, bad: 3, skipped: [1, 2] });
  });
});
