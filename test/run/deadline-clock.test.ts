import { describe, expect, it } from 'vitest';
import type { Plan } from '../../harness/model/plan.ts';
import { createDeadlineClock } from '../../harness/run/deadline-clock.ts';
import { recordedRun } from '../judge/recorded-run.ts';

const recorded = recordedRun('bios-ipxe-rom').plan;
const plan: Plan = {
  ...recorded,
  stagePath: ['firmware', 'oprom', 'dhcp'],
  deadlines: {
    totalMs: 25_000,
    stageMs: { ...recorded.deadlines.stageMs, firmware: 10_000, oprom: 10_000, dhcp: 10_000 },
  },
};

describe('a deadline clock', () => {
  it('names the stage that did not come, and what was waited for it', () => {
    const clock = createDeadlineClock(plan, false);
    expect(clock.tick(10_000, 0)).toBeUndefined();
    expect(clock.tick(1, 0)).toEqual({ stage: 'firmware', allowedMs: 10_000, waitedMs: 10_001 });
  });

  it('begins anew with each stage', () => {
    const clock = createDeadlineClock(plan, false);
    expect(clock.tick(9_000, 0)).toBeUndefined();
    clock.reached('firmware');
    expect(clock.tick(9_000, 0)).toBeUndefined();
    expect(clock.tick(1_001, 0)).toMatchObject({ stage: 'oprom' });
  });

  it('waits for the first stage not reached, in whatever order they come', () => {
    const clock = createDeadlineClock(plan, false);
    clock.reached('firmware');
    clock.reached('dhcp');
    expect(clock.tick(10_001, 0)).toMatchObject({ stage: 'oprom' });
  });

  it('ends a case that reaches stages and takes too long in all', () => {
    const clock = createDeadlineClock(plan, false);
    clock.tick(9_000, 0);
    clock.reached('firmware');
    clock.tick(9_000, 0);
    clock.reached('oprom');
    expect(clock.tick(7_000, 0)).toBeUndefined();
    expect(clock.tick(1, 0)).toEqual({ stage: 'total', allowedMs: 25_000, waitedMs: 25_001 });
  });

  it('leaves a complete path to the total alone', () => {
    const clock = createDeadlineClock(plan, false);
    for (const stage of plan.stagePath) clock.reached(stage);
    expect(clock.tick(25_000, 0)).toBeUndefined();
    expect(clock.tick(1, 0)).toMatchObject({ stage: 'total' });
  });

  it('lets guest time pass more slowly where guests wait for a CPU', () => {
    const clock = createDeadlineClock(plan, false);
    expect(clock.tick(39_999, 0.75)).toBeUndefined();
    expect(clock.tick(10, 0.75)).toMatchObject({ stage: 'firmware', waitedMs: 10_002 });
  });

  it('never stands still', () => {
    const clock = createDeadlineClock(plan, false);
    expect(clock.tick(99_000, 1)).toBeUndefined();
    expect(clock.tick(1_010, 1)).toMatchObject({ stage: 'firmware' });
  });

  it('gives accelerated guests half the time', () => {
    const clock = createDeadlineClock(plan, true);
    expect(clock.tick(5_000, 0)).toBeUndefined();
    expect(clock.tick(1, 0)).toEqual({ stage: 'firmware', allowedMs: 5_000, waitedMs: 5_001 });
  });
});
