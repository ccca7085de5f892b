import { describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { tokenOf } from '../../harness/model/stages.ts';
import { recordedRun } from './recorded-run.ts';

const { plan: single, events: log } = recordedRun('bios-ipxe-rom');
const title = ['install', 'again'];

/** The recorded boot, twice on one machine, each with a nonce of its own. */
const plan: Plan = { ...single, boots: title.map((name, at) => ({ ...single, name, nonce: `${single.nonce}${at}` })) };

const withNonce = (events: readonly HarnessEvent[], at: number): HarnessEvent[] =>
  events.map((event) =>
    event.source === 'serial' && event.text.trim() === tokenOf(single.nonce)
      ? { ...event, text: tokenOf(`${single.nonce}${at}`) }
      : event,
  );

const isStart = ({ source, type }: HarnessEvent) => source === 'run' && type === 'started';
const cycled: HarnessEvent = { tMs: 9_000, source: 'run', type: 'power-cycled', boot: 2, name: 'again' };
const second = (at: number) => withNonce(log, at).filter((event) => !isStart(event));

describe('a case of two boots', () => {
  it('passes when both are as expected, each judged by its own events', () => {
    const verdict = judge(plan, [...withNonce(log, 0), cycled, ...second(1)]);
    expect(verdict).toMatchObject({ status: 'passed', stoppedAt: null, diagnosis: null });
    expect(verdict.boots).toMatchObject([
      { name: 'install', status: 'passed', lastStage: 'config' },
      { name: 'again', status: 'passed', lastStage: 'config' },
    ]);
  });

  it('fails with the boot that failed: the token of another boot proves nothing', () => {
    const verdict = judge(plan, [...withNonce(log, 0), cycled, ...second(0)]);
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'config' });
    expect(verdict.diagnosis).toMatch(/^Boot 2 of 2 \(again\): Stopped at config/);
    expect(verdict.boots?.map(({ status }) => status)).toEqual(['passed', 'failed']);
  });

  it('fails with the first one, and shows that no other was begun', () => {
    const verdict = judge(plan, withNonce(log, 1));
    expect(verdict).toMatchObject({ status: 'failed', boots: [{ name: 'install', status: 'failed' }] });
    expect(verdict.diagnosis).toMatch(/^Boot 1 of 2 \(install\): /);
  });

  it('has no verdict where the log ends before the second one', () => {
    const verdict = judge(plan, withNonce(log, 0));
    expect(verdict).toMatchObject({ status: 'interrupted', diagnosis: 'Boot 2 of 2 (again) was not begun.' });
    expect(judge(plan, [...withNonce(log, 0), cycled]).status).toBe('interrupted');
  });

  it('has no verdict where the harness failed in one of them', () => {
    const trouble: HarnessEvent = {
      ...{ tMs: 9_001, source: 'run', type: 'infrastructure' },
      ...{ code: 'disk', message: 'the disk is full', retryable: true },
    };
    const verdict = judge(plan, [...withNonce(log, 0), cycled, trouble, ...second(1)]);
    expect(verdict).toMatchObject({ status: 'error' });
    expect(verdict.diagnosis).toBe('Boot 2 of 2 (again): The harness could not tell: the disk is full');
  });

  it('meets a fault of the scenario in any of them', () => {
    const nak = { server: 'dhcp', nak: true };
    const faulty = { ...plan, scenario: { ...plan.scenario, faults: [faultSchema.parse(nak)] } };
    const both = (...met: HarnessEvent[]) =>
      judge(faulty, [...log.slice(0, 1), ...met, ...withNonce(log.slice(1), 0), cycled, ...second(1)]);
    const met = { source: 'dhcp', type: 'fault', fault: 0, action: 'nak', what: 'request', count: 1 } as const;
    expect(both({ tMs: 1, ...met })).toMatchObject({ status: 'passed', diagnosis: null });
    expect(both()).toMatchObject({
      status: 'failed',
      diagnosis: 'Not put to the test: nothing met fault 1, {"server":"dhcp","nak":true}.',
    });
  });
});
