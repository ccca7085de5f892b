import { describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { expectedStops, type RecordedRun, recordedRun } from './recorded-run.ts';

const runs = expectedStops.map((name) => ({ name, ...recordedRun(name) }));
const stopOf = ({ plan }: RecordedRun) => ('stopsAt' in plan.scenario.expect ? plan.scenario.expect : undefined);

/** The guest is heard of no more after `last`, and given up on. */
function silentAfter({ events }: RecordedRun, last: HarnessEvent): HarnessEvent[] {
  const { tMs } = last;
  return [
    ...events.slice(0, events.indexOf(last) + 1),
    { tMs, source: 'run', type: 'deadline', stage: 'total', allowedMs: 60_000, waitedMs: 60_100 },
    { tMs, source: 'run', type: 'ended', reason: 'deadline' },
  ];
}

describe.each(runs)('the stop of $name', (run) => {
  it('is the expected one', () => {
    expect(judge(run.plan, run.events)).toMatchObject({ status: 'passed', stoppedAt: stopOf(run)?.stopsAt });
  });

  it.each(runs.filter((other) => other.name !== run.name))('is not that of $name', (other) => {
    // At the same stage, so that it is the failure that decides.
    const expected = { ...stopOf(other), stopsAt: stopOf(run)?.stopsAt } as NonNullable<ReturnType<typeof stopOf>>;
    const { status, diagnosis } = judge(
      { ...run.plan, scenario: { ...run.plan.scenario, expect: expected } },
      run.events,
    );
    expect(status).toBe('failed');
    expect(diagnosis).toContain(`it was expected to stop with ${expected.failure[0]?.rule}`);
    expect(diagnosis).toMatch(/, and it stopped with [a-z-]+ ".+"/);
  });

  it('is another one where the guest fell silent at any moment before it', () => {
    const end = run.events.findIndex((event) => event.source === 'run' && event.type === 'ended');
    const ending = run.events.slice(0, end).findLast((event) => event.tMs === run.result.verdict.failure?.atMs);
    for (const event of run.events.slice(0, run.events.indexOf(ending as HarnessEvent))) {
      const { status } = judge(run.plan, silentAfter(run, event));
      expect({ status, event }).toEqual({ status: expect.not.stringMatching('passed'), event });
    }
  });
});

it.each([
  ['uefi-https-name', 'tls', 'the TLS server was dead, or broke off'],
  ['uefi-https-authority', 'tls', 'the TLS server was dead, or broke off'],
  ['uefi-snp-rom-stalled', 'tftp-stalled', 'the server sent nothing more'],
  ['arm-ipv6-no-address', 'dhcp6', 'no DHCPv6 server answered'],
] as const)('%s is another stop where %s is not seen on the wire: %s', (name, type, _) => {
  const { plan, events } = recordedRun(name);
  const seen = events.filter((event) => !(event.source === 'wire' && event.type === type));
  expect(seen.length).toBeLessThan(events.length);
  expect(judge(plan, seen)).toMatchObject({ status: 'failed' });
});

describe('frames that are read after the console has ended the case', () => {
  const { plan, events } = recordedRun('uefi-https-authority');
  const refusal = events.find((event) => event.type === 'tls' && event.kind === 'left') as HarnessEvent;
  const before = events.filter((event) => event !== refusal);
  const end = before.findIndex((event) => event.source === 'run' && event.type === 'ended');

  it('explain the end as they do when they are read first', () => {
    const late = before.toSpliced(end, 0, { ...refusal, tMs: before[end]?.tMs ?? 0 });
    expect(judge(plan, late)).toMatchObject({ status: 'passed', failure: judge(plan, events).failure });
  });

  it('reach a stage as they do when they are read first', () => {
    const { plan, events } = recordedRun('uefi-kernel-refused-late-ack');
    const error = events.findIndex(
      ({ source, type, ...event }) => 'text' in event && event.text.startsWith('Could not boot:'),
    );
    const ack = events.findLastIndex((event) => event.source === 'wire' && event.type === 'tftp-complete');
    expect(ack).toBeGreaterThan(error);
    expect(judge(plan, events)).toMatchObject({ status: 'passed', stoppedAt: 'kernel' });
    expect(judge(plan, events.toSpliced(ack, 1))).toMatchObject({ status: 'failed', stoppedAt: 'payload-fetch' });
  });

  it('are no explanation once the case has ended', () => {
    expect(judge(plan, before.toSpliced(end + 1, 0, refusal))).toMatchObject({ status: 'failed' });
  });
});

it('is another time-out where the guest asked, and its answer was lost', () => {
  const { plan, events } = recordedRun('arm-autoexec-nothing-sent');
  const script = events.findLastIndex((event) => event.source === 'wire' && event.type === 'tftp-complete');
  const { tMs } = events[script] as HarnessEvent;
  const addresses = { senderIp: '10.0.2.15', targetIp: '10.0.2.2' };
  const asked: HarnessEvent = { tMs, source: 'wire', type: 'arp', from: 'guest', op: 'request', ...addresses };
  expect(judge(plan, events.toSpliced(script + 1, 0, asked))).toMatchObject({ status: 'failed', stoppedAt: 'config' });
});

it('is another silence where the guest was paused, and did nothing in the time it had', () => {
  const { plan, events } = recordedRun('uefi-kernel-no-console');
  const paused = events.map(
    (event): HarnessEvent =>
      event.source === 'run' && event.type === 'deadline' ? { ...event, workedMs: 200 } : event,
  );
  expect(judge(plan, paused)).toMatchObject({ status: 'failed', failure: { rule: 'deadline' } });
});

it('is another stop where the offers did not reach the guest', () => {
  const { plan, events } = recordedRun('bios-undionly-no-receive');
  const first = events.findIndex((event) => event.source === 'wire' && event.type === 'tftp-complete');
  const lost = events.filter(
    (event, index) => index < first || !(event.source === 'wire' && event.type === 'dhcp' && event.from === 'server'),
  );
  expect(judge(plan, events).status).toBe('passed');
  expect(judge(plan, lost)).toMatchObject({ status: 'failed', stoppedAt: 'nbp-dhcp' });
});

it('is not explained by what the guest has left behind: it asked for something else since', () => {
  const { plan, events } = recordedRun('uefi-https-name');
  const left = events.findIndex((event) => event.source === 'wire' && event.type === 'tls' && event.kind === 'left');
  const { tMs } = events[left] as HarnessEvent;
  const asked: HarnessEvent = { tMs, source: 'wire', type: 'tls', port: 443, from: 'guest', kind: 'client-hello' };
  expect(judge(plan, events.toSpliced(left + 1, 0, asked)).status).toBe('failed');
});

describe('a stop that is accepted until a day', () => {
  const run = recordedRun('uefi-http-redirect');
  const started = run.events.find((event) => event.source === 'run' && event.type === 'started');
  const day = (offset: number) =>
    new Date(Date.parse((started as { at: string }).at) + offset * 86_400_000).toISOString().slice(0, 10);
  const judged = (
    until: string,
    { expect: expected, events = run.events }: { expect?: object; events?: HarnessEvent[] } = {},
  ) => {
    const expectation = { ...stopOf(run), ...expected, until, reference: 'https://example.org/1' };
    return judge({ ...run.plan, scenario: { ...run.plan.scenario, expect: expectation as never } }, events);
  };

  it.each([0, 1, 400])('passes on that day and before (%i days left)', (left) => {
    expect(judged(day(left)).status).toBe('passed');
  });

  it('fails from the next day on, and says what was waited for', () => {
    const { status, diagnosis } = judged(day(-1));
    expect(status).toBe('failed');
    expect(diagnosis).toContain(
      `was accepted until ${day(-1)} (https://example.org/1), and it still stops there: overdue`,
    );
  });

  it('fails for another stop as ever, overdue or not', () => {
    for (const left of [1, -1]) {
      const { status, diagnosis } = judged(day(left), { expect: { stopsAt: 'config' } });
      expect({ status, diagnosis }).toEqual({
        status: 'failed',
        diagnosis: expect.stringContaining('expected to stop at config'),
      });
      expect(diagnosis).not.toContain('overdue');
    }
  });

  it.each([
    ['no start', (event: HarnessEvent) => (event === started ? [] : [event])],
    ['no date', (event: HarnessEvent) => [event === started ? { ...event, at: 'soon' } : event]],
  ])('does not pass where the log has %s', (_, change) => {
    const events = run.events.flatMap(change as (event: HarnessEvent) => HarnessEvent[]);
    expect(judged(day(1), { events })).toMatchObject({
      status: 'failed',
      diagnosis: expect.stringContaining('no date'),
    });
  });
});
