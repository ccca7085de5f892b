import { describe, expect, it } from 'vitest';
import { costLines, costsOf } from '../../scripts/campaigns/costs.mjs';

const round = (start, wallMs, more = {}) => ({
  ...{ start, wallMs, guestCpuMs: wallMs * 2, harnessCpuMs: wallMs / 10, resumed: false },
  ...more,
});

describe('what rounds cost', () => {
  it('is the median of each way to start, and a multiple of cold', () => {
    const costs = costsOf([
      round('cold', 400_000),
      round('warm', 300_000),
      round('cold', 200_000),
      round('cold', 300_000),
    ]);
    expect(costLines(costs)).toEqual([
      "cold, median of 3 rounds · wall 300 s · guests 600 s CPU · harness 30 s CPU, 5.0 % of the guests'",
      "warm, 1 round · wall 300 s (1.00 × cold) · guests 600 s CPU (1.00 × cold) · harness 30 s CPU, 5.0 % of the guests'",
    ]);
  });

  it('leaves out the first of several kept rounds, which makes the templates', () => {
    const [, kept] = costsOf([round('cold', 400_000), round('kept', 300_000), round('kept', 200_000)]);
    expect(kept).toMatchObject({ rounds: 1, wallMs: 200_000, toCold: { wall: 0.5, guestCpu: 0.5 } });
  });

  it('leaves out resumed rounds, which ran only a part', () => {
    const resumed = round('cold', 1, { resumed: true });
    expect(costsOf([resumed, round('cold', 200_000)])).toMatchObject([{ start: 'cold', rounds: 1, wallMs: 200_000 }]);
    expect(costsOf([resumed])).toEqual([]);
  });

  it('has no ratio without a cold round', () => {
    expect(costLines(costsOf([round('warm', 60_000)]))).toEqual([
      "warm, 1 round · wall 60 s · guests 120 s CPU · harness 6.0 s CPU, 5.0 % of the guests'",
    ]);
  });
});
