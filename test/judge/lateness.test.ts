import { describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import { boundReached } from '../../harness/model/bounds.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { completed, type RecordedRun, recordedRun, stopped } from './recorded-run.ts';

/** The log of the case, had the harness or QEMU been late just before its end. */
const lateIn = ({ events }: RecordedRun, who: 'harness' | 'qemu' = 'harness'): HarnessEvent[] => {
  const { tMs } = events.at(-1) as HarnessEvent;
  return [...events.slice(0, -1), { tMs, source: 'run', type: 'late', who, lateMs: 6_200 }, ...events.slice(-1)];
};

describe('where the harness could not answer for seconds', () => {
  it.each(completed)('%s has passed: it reached its end nevertheless', (name) => {
    const run = recordedRun(name);
    expect(judge(run.plan, lateIn(run))).toEqual(run.result.verdict);
  });

  it.each(stopped)('%s is no verdict, although it stopped as expected', (name) => {
    const run = recordedRun(name);
    const { status, diagnosis } = judge(run.plan, lateIn(run));
    expect(status).toBe('error');
    expect(diagnosis).toMatch(/^The harness could not tell: for 6\.2 s, up to [\d.]+ s into the boot, .*\(--jobs\)/);
  });

  it('nor is it where QEMU could not serve the NIC', () => {
    const run = recordedRun('bios-no-driver');
    const { status, diagnosis } = judge(run.plan, lateIn(run, 'qemu'));
    expect(status).toBe('error');
    expect(diagnosis).toContain('QEMU could not serve');
  });

  it('a guest that floods has failed: it may be why the harness was late', () => {
    const run = recordedRun('bios-no-driver');
    const spawned = run.events.findIndex(({ type }) => type === 'spawned');
    const { tMs } = run.events[spawned] as HarnessEvent;
    const events: HarnessEvent[] = [
      ...run.events.slice(0, spawned + 1),
      { tMs, ...boundReached('serialBytes') },
      { tMs, source: 'run', type: 'late', who: 'harness', lateMs: 6_200 },
      { tMs, source: 'run', type: 'ended', reason: 'failure' },
    ];
    expect(judge(run.plan, events)).toMatchObject({ status: 'failed', failure: { rule: 'guest-flood' } });
  });

  it.each([
    ['secure-boot-refused', 'BdsDxe: failed to load Boot0001 "UEFI PXEv4 (MAC:525400123456)": Access Denied', 'failed'],
    ['bds-nothing', 'BdsDxe: No bootable option or device was found', 'error'],
  ] as const)('%s is a verdict only if no late answer causes it', (rule, text, status) => {
    const run = recordedRun('uefi-no-rom');
    const plan: Plan = { ...run.plan, scenario: { ...run.plan.scenario, secureBoot: 'microsoft' } };
    const upToLoad = run.events.findIndex(({ type }) => type === 'tftp-complete') + 1;
    const { tMs } = run.events[upToLoad] as HarnessEvent;
    const events: HarnessEvent[] = [
      ...run.events.slice(0, upToLoad),
      { tMs, source: 'run', type: 'late', who: 'harness', lateMs: 1_200 },
      { tMs, source: 'serial', type: 'line', text, offset: 0 },
      { tMs, source: 'run', type: 'ended', reason: 'failure' },
    ];
    expect(judge(plan, events)).toMatchObject({ status, failure: { rule } });
  });

  it('and the run was interrupted, it was interrupted', () => {
    const run = recordedRun('bios-no-driver');
    const events = lateIn(run).map((event) =>
      event.type === 'ended' ? ({ ...event, reason: 'interrupted' } as HarnessEvent) : event,
    );
    expect(judge(run.plan, events).status).toBe('interrupted');
  });
});
