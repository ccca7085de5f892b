import { describe, expect, it } from 'vitest';
import type { Plan } from '../../harness/model/plan.ts';
import { createDeadlineClock } from '../../harness/run/boot/deadline-clock.ts';
import type { TimeReading } from '../../harness/run/boot/guest-time.ts';
import { recordedRun } from '../judge/recorded-run.ts';

const recorded = recordedRun('bios-ipxe-rom').plan;
const plan: Plan = {
  ...recorded,
  stagePath: ['firmware', 'oprom', 'dhcp'],
  deadlines: {
    ...recorded.deadlines,
    totalMs: 25_000,
    stageMs: { ...recorded.deadlines.stageMs, firmware: 10_000, oprom: 10_000, dhcp: 10_000 },
  },
};

/** A clock under our hand: so much time passes, and for so much of it the guest waits for a CPU. */
function start(accelerated = false) {
  let atMs = 0;
  let waitedMs = 0;
  let cpuMs = 0;
  const read = (): TimeReading => ({ atMs, links: [new Map([[1, waitedMs]])], cpuMs });
  const clock = createDeadlineClock(plan, accelerated, read);
  return {
    reached: clock.reached,
    work(ms: number) {
      cpuMs += ms;
    },
    pass(ms: number, waiting = 0) {
      atMs += ms;
      waitedMs += waiting;
      return clock.tick();
    },
  };
}

describe('a deadline clock', () => {
  it('names the stage that did not come, and what was waited for it', () => {
    const { pass } = start();
    expect(pass(10_000)).toBeUndefined();
    expect(pass(1)).toEqual({ stage: 'firmware', allowedMs: 10_000, waitedMs: 10_001, wallMs: 10_001, workedMs: 0 });
  });

  it('says for how long the guest has worked since the stage before', () => {
    const { pass, reached, work } = start();
    work(4_000);
    pass(9_000);
    reached('firmware');
    work(7_000);
    expect(pass(10_001)).toMatchObject({ stage: 'oprom', workedMs: 7_000 });
  });

  it('begins anew with each stage', () => {
    const { pass, reached } = start();
    expect(pass(9_000)).toBeUndefined();
    reached('firmware');
    expect(pass(9_000)).toBeUndefined();
    expect(pass(1_001)).toMatchObject({ stage: 'oprom' });
  });

  it('waits for the first stage not reached, in whatever order they come', () => {
    const { pass, reached } = start();
    reached('firmware');
    reached('dhcp');
    expect(pass(10_001)).toMatchObject({ stage: 'oprom' });
  });

  it('ends a case that reaches stages and takes too long in all', () => {
    const { pass, reached } = start();
    pass(9_000);
    reached('firmware');
    pass(9_000);
    reached('oprom');
    expect(pass(7_000)).toBeUndefined();
    expect(pass(1)).toEqual({ stage: 'total', allowedMs: 25_000, waitedMs: 25_001, wallMs: 25_001, workedMs: 0 });
  });

  it('leaves a complete path to the total alone', () => {
    const { pass, reached } = start();
    for (const stage of plan.stagePath) reached(stage);
    expect(pass(25_000)).toBeUndefined();
    expect(pass(1)).toMatchObject({ stage: 'total' });
  });

  it('does not count the time in which the guest waited for a CPU, however long', () => {
    const { pass } = start();
    expect(pass(200_000, 190_000)).toBeUndefined();
    expect(pass(10, 0)).toEqual({
      stage: 'firmware',
      allowedMs: 10_000,
      waitedMs: 10_010,
      wallMs: 200_010,
      workedMs: 0,
    });
  });

  it('counts only the waits since the stage before', () => {
    const { pass, reached } = start();
    pass(9_000, 9_000);
    reached('firmware');
    expect(pass(10_001)).toMatchObject({ stage: 'oprom', waitedMs: 10_001 });
  });

  it('never stands still', () => {
    const { pass } = start();
    expect(pass(499_000, 499_000)).toBeUndefined();
    expect(pass(2_000, 2_000)).toMatchObject({ stage: 'firmware' });
  });

  it('gives accelerated guests half the time', () => {
    const { pass } = start(true);
    expect(pass(5_000)).toBeUndefined();
    expect(pass(1)).toMatchObject({ stage: 'firmware', allowedMs: 5_000, waitedMs: 5_001 });
  });
});
