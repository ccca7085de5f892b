import { describe, expect, it, test } from 'vitest';
import type { z } from 'zod';

import { judge } from '../../harness/judge/judge.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { expectationSchema } from '../../harness/model/expectation.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { type Stage, tokenOf } from '../../harness/model/stages.ts';
import { chainLoaded, completed, type RecordedRun, recordedRun, stopped } from './recorded-run.ts';

type Change = (event: HarnessEvent, run: RecordedRun) => HarnessEvent[];

const judgeChanged = (run: RecordedRun, change: Change) =>
  judge(
    run.plan,
    run.events.flatMap((event) => change(event, run)),
  );

const isToken = (event: HarnessEvent, { plan }: RecordedRun): boolean =>
  event.source === 'serial' && event.text.trim() === tokenOf(plan.nonce);
const isNbpDelivery = (event: HarnessEvent, { plan }: RecordedRun): boolean =>
  event.source === 'wire' && event.type === 'tftp-complete' && event.file === plan.deliveries.nbp[0]?.name;
const isAck = (event: HarnessEvent): boolean =>
  event.source === 'wire' && event.type === 'dhcp' && event.messageType === 'ack';
const without =
  (unwanted: (event: HarnessEvent, run: RecordedRun) => boolean): Change =>
  (event, run) =>
    unwanted(event, run) ? [] : [event];

/** A case that reached its end, ended otherwise: no event is missing, and it was not the end of the log. */
function asDeadline(run: RecordedRun, stage: Stage): RecordedRun {
  const events = run.events.flatMap((event): HarnessEvent[] => {
    if (event.source !== 'run' || event.type !== 'ended') return [event];
    const { tMs } = event;
    return [
      { tMs, source: 'run', type: 'deadline', stage, allowedMs: 60_000, waitedMs: 60_100 },
      { ...event, reason: 'deadline' },
    ];
  });
  return { ...run, events };
}

/** As a matrix says it. */
const expecting = (plan: Plan, expectation: z.input<typeof expectationSchema>): Plan => ({
  ...plan,
  scenario: { ...plan.scenario, expect: expectationSchema.parse(expectation) },
});

describe.each([...completed, ...stopped])('the log of %s, judged again', (name) => {
  const run = recordedRun(name);

  it('gives the verdict that the run gave', () => {
    expect(run.result.verdict).toEqual(judge(run.plan, run.events));
    expect(run.result.verdict.status).toBe('passed');
  });

  it('shows the configuration that was declared', () => {
    const silent = name.endsWith('-no-driver');
    expect(judge(run.plan, run.events).observedConfiguration).toBe(silent ? null : run.plan.scenario.configuration);
  });

  it('is interrupted, at whatever line a kill cut it, until all that was to be proven is', () => {
    const path = run.plan.stagePath;
    const complete = name.endsWith('-no-driver')
      ? run.events.findIndex(({ source, type }) => source === 'run' && type === 'ended')
      : run.events.findIndex((event) => isToken(event, run));
    expect(complete).toBeGreaterThan(0);
    for (let length = 0; length <= complete; length++) {
      const { status, stages } = judge(run.plan, run.events.slice(0, length));
      expect({ length, status }).toEqual({ length, status: 'interrupted' });
      expect(stages.map(({ stage }) => stage)).toEqual(path);
    }
  });

  it('is interrupted where the run was, unless the boot was complete by then', () => {
    const { status } = judgeChanged(run, (event) =>
      event.source === 'run' && event.type === 'ended' ? [{ ...event, reason: 'interrupted' }] : [event],
    );
    expect(status).toBe(name.endsWith('-no-driver') ? 'interrupted' : 'passed');
  });

  it('is an error where the harness could not tell', () => {
    const { status, diagnosis } = judgeChanged(run, (event) =>
      event.source === 'vm' && event.type === 'spawned'
        ? [
            event,
            {
              tMs: event.tMs,
              source: 'run',
              type: 'infrastructure',
              code: 'disk',
              message: 'the disk is full',
              retryable: true,
            },
          ]
        : [event],
    );
    expect(status).toBe('error');
    expect(diagnosis).toContain('the disk is full');
  });
});

describe.each(completed)('the log of %s, tampered with, never passes', (name) => {
  const run = recordedRun(name);

  it('without the token', () => {
    const verdict = judgeChanged(run, without(isToken));
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: run.plan.stagePath.at(-1) });
    expect(verdict.diagnosis).toMatch(/^Stopped at config, after /);
  });

  it("with another run's token", () => {
    const other = tokenOf('000000000000');
    const verdict = judgeChanged(run, (event) =>
      isToken(event, run) ? [{ ...event, text: other } as HarnessEvent] : [event],
    );
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'config' });
  });

  it.each([
    ['an echo of it', (token: string) => `echo ${token}`],
    ['part of it', (token: string) => token.slice(0, -1)],
    ['more than it', (token: string) => `${token}0`],
  ])('with %s in place of the token', (_, text) => {
    const verdict = judgeChanged(run, (event) =>
      isToken(event, run) ? [{ ...event, text: text(tokenOf(run.plan.nonce)) } as HarnessEvent] : [event],
    );
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'config' });
  });

  it('with the token in what was served, not on the console', () => {
    const verdict = judgeChanged(run, (event) =>
      isToken(event, run)
        ? [{ tMs: event.tMs, source: 'http', type: 'tls-refused', reason: tokenOf(run.plan.nonce) }]
        : [event],
    );
    expect(verdict.status).toBe('failed');
  });

  it('without the acknowledged leases', () => {
    expect(judgeChanged(run, without(isAck))).toMatchObject({ status: 'failed', stoppedAt: 'dhcp' });
  });

  it('with leases that answer somebody else', () => {
    const verdict = judgeChanged(run, (event) => (isAck(event) ? [{ ...event, xid: 1 } as HarnessEvent] : [event]));
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'dhcp' });
  });

  it('with leases of another guest on the same network', () => {
    const mac = '52:54:00:00:00:02';
    const verdict = judgeChanged(run, (event) => (isAck(event) ? [{ ...event, mac } as HarnessEvent] : [event]));
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'dhcp' });
  });

  it('where it was expected to stop', () => {
    const expectation = { stopsAt: 'dhcp', failure: 'uefi-shell', reason: 'no driver' } as const;
    const verdict = judge(expecting(run.plan, expectation), run.events);
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: null });
    expect(verdict.diagnosis).toBe(
      'Not as expected: it was expected to stop at dhcp (no driver), and it reached its last stage.',
    );
  });

  it('where it was declared not applicable', () => {
    expect(judge(expecting(run.plan, { notApplicable: 'no such NIC' }), run.events).status).toBe('failed');
  });
});

describe.each(chainLoaded)('the delivery of the NBP in %s', (name) => {
  const run = recordedRun(name);

  it('is not proven by the transfer of the server', () => {
    const verdict = judgeChanged(run, without(isNbpDelivery));
    expect(run.events.some((event) => event.type === 'transfer' && event.outcome === 'complete')).toBe(true);
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'nbp-fetch' });
  });

  it.each([-1, 1])(
    'is not proven by a length that differs by %d, which leaves nothing to be said of the boot',
    (difference) => {
      const verdict = judgeChanged(run, (event) =>
        isNbpDelivery(event, run) && event.source === 'wire' && event.type === 'tftp-complete'
          ? [{ ...event, bytes: event.bytes + difference }]
          : [event],
      );
      expect(verdict).toMatchObject({ status: 'error', stoppedAt: 'nbp-fetch' });
      expect(verdict.diagnosis).toMatch(
        /^The harness could not tell: \S+ was served with \d+ bytes, and \d+ were planned\.$/,
      );
    },
  );

  it('is not proven by another file', () => {
    const verdict = judgeChanged(run, (event) =>
      isNbpDelivery(event, run) ? [{ ...event, file: 'other.efi' } as HarnessEvent] : [event],
    );
    expect(verdict.status).toBe('failed');
  });

  it('needs a lease of the second stage after it', () => {
    let acks = 0;
    const verdict = judgeChanged(
      run,
      without((event) => isAck(event) && ++acks > 1),
    );
    expect(acks).toBeGreaterThan(1);
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'nbp-dhcp' });
  });
});

describe.each(stopped)('the expected stop of %s', (name) => {
  const run = recordedRun(name);

  it('is another one where another rule ended it', () => {
    const verdict = judge(
      expecting(run.plan, { stopsAt: 'dhcp', failure: 'kernel-panic', reason: 'it panics' }),
      run.events,
    );
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'dhcp' });
    expect(verdict.diagnosis).toContain('it was expected to stop with kernel-panic (it panics)');
  });

  it('is not one where the guest only fell silent', () => {
    const silent = asDeadline(run, 'dhcp');
    const verdict = judgeChanged(
      silent,
      without(({ source }) => source === 'serial'),
    );
    expect(verdict).toMatchObject({ status: 'failed', failure: { rule: 'deadline' } });
  });

  it('is not one where it stopped elsewhere', () => {
    const rules = ['seabios-no-boot', 'uefi-shell'] as const;
    const expectation = { stopsAt: 'nbp-fetch' as const, failure: [...rules], reason: 'no file' };
    expect(judge(expecting(run.plan, expectation), run.events)).toMatchObject({
      status: 'failed',
      stoppedAt: 'dhcp',
      failure: { rule: expect.toBeOneOf([...rules]) },
    });
  });

  it('is a failure where it was to go all the way', () => {
    const verdict = judge(expecting(run.plan, { reaches: 'last' }), run.events);
    expect(verdict.status).toBe('failed');
    expect(verdict.diagnosis).toMatch(/^Stopped at dhcp, after firmware \(the platform firmware ran\); last seen: "/);
  });
});

describe('a boot without a lease', () => {
  const run = recordedRun('bios-ipxe-rom');
  const acked = run.events.findIndex(isAck);
  const upToRequest = run.events.slice(0, acked);
  const ended: HarnessEvent[] = [
    { tMs: 60_000, source: 'run', type: 'deadline', stage: 'dhcp', allowedMs: 60_000, waitedMs: 60_100 },
    { tMs: 60_001, source: 'run', type: 'ended', reason: 'deadline' },
  ];
  const diagnosisOf = (events: HarnessEvent[]) => judge(run.plan, [...events, ...ended]).diagnosis;
  const isRequest = (event: HarnessEvent): boolean =>
    event.source === 'wire' && event.type === 'dhcp' && event.messageType === 'request';

  it('is told apart by how far it came: offer, REQUEST, answer', () => {
    const nak = { ...run.events[acked], messageType: 'nak' } as HarnessEvent;
    expect(diagnosisOf(upToRequest.filter((event) => !isRequest(event)))).toContain(
      'got an offer and did not accept it',
    );
    expect(diagnosisOf(upToRequest)).toContain('accepted an offer, and its REQUEST was not answered');
    expect(diagnosisOf([...upToRequest, nak])).toContain('its REQUEST was answered with a NAK');
  });
});

test.each(['bios-ipxe-rom', 'bios-pxe-rom'] as const)('%s without the banner of its firmware never passes', (name) => {
  const banner = /^SeaBIOS \(version/;
  const verdict = judgeChanged(
    recordedRun(name),
    without((event) => event.source === 'serial' && banner.test(event.text)),
  );
  expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'firmware', lastStage: 'config' });
});

describe('a guest at rest', () => {
  const run = recordedRun('bios-ipxe-rom');
  const ended = run.events.findIndex((event) => event.source === 'wire' && event.type === 'dhcp');
  const events: HarnessEvent[] = [
    ...run.events.slice(0, ended),
    { tMs: 50_000, source: 'run', type: 'silent', stage: 'dhcp', allowedMs: 40_200, restedMs: 40_400 },
    { tMs: 50_001, source: 'run', type: 'ended', reason: 'silent' },
  ];
  const judged = (failure: 'silent' | 'deadline' | 'seabios-no-boot') =>
    judge(expecting(run.plan, { stopsAt: 'dhcp', failure, reason: 'it waits for ever' }), events);

  it('is told as what it is', () => {
    const { failure, diagnosis } = judge(run.plan, events);
    expect(failure?.rule).toBe('silent');
    expect(diagnosis).toMatch(
      /^Stopped at dhcp, after oprom .*; no dhcp stage, and the guest is at rest: for 40 s no work, no frame and nothing on the console; last seen: "/,
    );
  });

  it('is what a deadline would have told later', () => {
    expect(judged('silent').status).toBe('passed');
    expect(judged('deadline').status).toBe('passed');
    expect(judged('seabios-no-boot').status).toBe('failed');
  });

  it('is more than a deadline tells', () => {
    const late = asDeadline(recordedRun('bios-no-driver'), 'dhcp');
    const verdict = judgeChanged(
      { ...late, plan: expecting(late.plan, { stopsAt: 'dhcp', failure: 'silent', reason: 'it waits for ever' }) },
      without(({ source }) => source === 'serial'),
    );
    expect(verdict).toMatchObject({ status: 'failed', failure: { rule: 'deadline' } });
  });
});

test('a deadline on a busy host says how long it was by the clock', () => {
  const run = asDeadline(recordedRun('bios-no-driver'), 'dhcp');
  const { diagnosis } = judgeChanged(run, (event) => {
    if (event.source === 'serial') return [];
    return [event.source === 'run' && event.type === 'deadline' ? { ...event, wallMs: 240_000 } : event];
  });
  expect(diagnosis).toContain('no dhcp stage within 60 s in which the guest could run (240 s by the clock)');
});

test('evidence that comes out of order is told', () => {
  const run = recordedRun('bios-pxe-rom');
  const verdict = judgeChanged(run, (event) => (isNbpDelivery(event, run) ? [{ ...event, tMs: 100 }] : [event]));
  expect(verdict.findings).toContainEqual(
    expect.stringMatching(/^evidence out of order: nbp-fetch at 100 ms, before dhcp/),
  );
});

describe('a declared configuration', () => {
  const declaring = ({ plan }: RecordedRun, declared: Pick<Plan['scenario'], 'configuration' | 'standIn'>): Plan => {
    const { configuration: _, standIn: __, ...scenario } = plan.scenario;
    return { ...plan, scenario: { ...scenario, ...declared } };
  };
  const stood = recordedRun('bios-pxe-rom');

  it('that the evidence contradicts fails the case', () => {
    const run = recordedRun('uefi-no-rom');
    const { status, observedConfiguration, diagnosis } = judge(declaring(run, { configuration: 4 }), run.events);
    expect({ status, observedConfiguration }).toEqual({ status: 'failed', observedConfiguration: 6 });
    expect(diagnosis).toBe('Not as declared: configuration 4 is declared, and the evidence is of configuration 6.');
  });

  it('fails also a stop that is as expected otherwise', () => {
    const run = recordedRun('uefi-http-redirect');
    const { status, diagnosis } = judge(declaring(run, { configuration: 5 }), run.events);
    expect(status).toBe('failed');
    expect(diagnosis).toMatch(/^Stopped at nbp-fetch, .* Not as declared: configuration 5 is declared/);
  });

  it.each(stopped)('is not contradicted where nothing tells: %s', (name) => {
    const run = recordedRun(name);
    expect(judge(declaring(run, { configuration: 1 }), run.events)).toMatchObject({
      status: 'passed',
      observedConfiguration: null,
    });
  });

  it("is the vendor's PXE ROM by an iPXE in its place only where that is declared, and labelled so", () => {
    expect(judge(declaring(stood, { configuration: 1, standIn: true }), stood.events)).toMatchObject({
      status: 'passed',
      observedConfiguration: 1,
      standIn: true,
    });
    const undeclared = judge(declaring(stood, { configuration: 1 }), stood.events);
    expect(undeclared).toMatchObject({ status: 'failed', observedConfiguration: 2 });
    expect(undeclared.diagnosis).toContain('"standIn": true');
    expect(judge(declaring(stood, {}), stood.events)).toMatchObject({ status: 'passed', observedConfiguration: 2 });
  });

  it("is the vendor's own where the client does not say that it is iPXE, stand-in or not", () => {
    const vendor = stood.events.map((event): HarnessEvent => {
      if (event.source !== 'wire' || event.type !== 'dhcp' || event.messageType !== 'discover') return event;
      const { userClass: _, ...plain } = event;
      return { ...plain, ipxe: false };
    });
    const verdict = judge(stood.plan, vendor);
    expect(verdict.observedConfiguration).toBe(1);
    expect(verdict.standIn).toBeUndefined();
  });
});

test('what a guest says after its end changes nothing', () => {
  const run = recordedRun('uefi-no-driver');
  const tMs = (run.events.at(-1)?.tMs ?? 0) + 1;
  const late: HarnessEvent[] = [
    { tMs, source: 'serial', type: 'line', offset: 9_999, text: tokenOf(run.plan.nonce) },
    { tMs, source: 'serial', type: 'line', offset: 9_999, text: 'Kernel panic - not syncing: VFS' },
  ];
  expect(judge(run.plan, [...run.events, ...late])).toEqual(judge(run.plan, run.events));
});

describe('the diagnosis of a boot that went on unseen', () => {
  it('gives the reason why its script could not be seen to run, where inspection told one', () => {
    const run = recordedRun('arm-no-rom');
    const prediction = { ...run.plan.prediction, stopsAt: 'config' as const, reasons: ['no console yet'] };
    const events = run.events.filter((event) => !isToken(event, run));
    expect(judge({ ...run.plan, prediction }, events).diagnosis).toMatch(/^Stopped at config, .*: no console yet\.$/);
  });

  it('gives the reason why the option ROM finds no NIC, where inspection told one', () => {
    const { plan, events } = recordedRun('uefi-no-driver');
    const stagePath: Stage[] = ['firmware', 'oprom', 'dhcp'];
    const judged = (stopsAt: Stage) =>
      judge({ ...plan, stagePath, prediction: { ...plan.prediction, stopsAt, reasons: ['no such driver'] } }, events);
    expect(judged('oprom').diagnosis).toMatch(/^Stopped at oprom, .*: no such driver\./);
    expect(judged('dhcp').diagnosis).toContain('there was no network boot option');
  });

  it('says that no evidence of the option ROM was there, where only that is lacking', () => {
    const { plan, events } = recordedRun('uefi-no-rom');
    const stagePath: Stage[] = ['firmware', 'oprom', ...plan.stagePath.slice(1)];
    const verdict = judge({ ...plan, stagePath }, events);
    expect(verdict).toMatchObject({ status: 'failed', stoppedAt: 'oprom', lastStage: 'config' });
    expect(verdict.diagnosis).toContain('nothing shows that the option ROM had a part in it');
  });
});

describe('the diagnosis of a crash', () => {
  const run = recordedRun('arm-no-rom');
  /** The boot crashes before its NBP has arrived, and says `lines`. */
  const crashing = (...lines: string[]) => {
    const events = run.events.slice(
      0,
      run.events.findIndex((event) => isNbpDelivery(event, run)),
    );
    const tMs = events.at(-1)?.tMs ?? 0;
    const said = lines.map((text): HarnessEvent => ({ tMs, source: 'serial', type: 'line', offset: 9_999, text }));
    return judge(run.plan, [...events, ...said, { tMs, source: 'run', type: 'ended', reason: 'failure' }]);
  };

  it('names the exception and the image, where the dump tells them', () => {
    const { diagnosis } = crashing(
      '!!!! X64 Exception Type - 0D(#GP - General Protection)  CPU Apic ID - 00000000 !!!!',
      'RIP  - 000000000E62553C, CS  - 0000000000000038, RFLAGS - 0000000000000246',
      '!!!! Find image based on IP(0xE62553C) /build/edk2/X64/eepro100.efidrv (ImageBase=000000000E620000, EntryPoint=000000000E622401) !!!!',
    );
    expect(diagnosis).toMatch(/ crashed with #GP - General Protection in eepro100\.efidrv, and /);
  });

  it('names none where the dump has none', () => {
    const { diagnosis } = crashing(
      '!!!! X64 Exception Type - 06(#UD - Invalid Opcode)  CPU Apic ID - 00000000 !!!!',
      "!!!! Can't find image information. !!!!",
    );
    expect(diagnosis).toMatch(/ crashed with #UD - Invalid Opcode, and /);
    expect(crashing('Synchronous Exception at 0x000000004F98B1C0').diagnosis).toMatch(/ crashed, and /);
  });

  it('tells a call through a null pointer', () => {
    const { failure, diagnosis } = crashing('Synchronous Exception at 0x0000000000000004');
    expect(failure?.rule).toBe('uefi-exception');
    expect(diagnosis).toMatch(/ crashed on a call through a null pointer, and /);
  });
});
