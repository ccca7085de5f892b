import { describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import { recordedRun } from './recorded-run.ts';

/** The log of a run in which requests met these faults of a server at 1, 2, 3… s. */
function withFaults(name: Parameters<typeof recordedRun>[0], ...faults: Pick<Fault, 'fault' | 'action' | 'count'>[]) {
  const { plan, events } = recordedRun(name);
  const met = faults.map(
    (fault, index): Fault => ({ tMs: (index + 1) * 1000, source: 'dhcp', type: 'fault', what: 'request', ...fault }),
  );
  return judge(plan, [...events.slice(0, 1), ...met, ...events.slice(1)]);
}
type Fault = Extract<HarnessEvent, { source: 'dhcp'; type: 'fault' }>;

const naks = [
  { fault: 1, action: 'nak', count: 1 },
  { fault: 1, action: 'nak', count: 2 },
] as const;
const said = 'fault 2, on purpose: 2 DHCP requests answered with a NAK, the first (request) at 1.0 s';

it('what a server did on purpose is a finding', () => {
  const verdict = withFaults('bios-ipxe-rom', ...naks);
  expect(verdict).toMatchObject({ status: 'passed', diagnosis: null });
  expect(verdict.findings).toContain(said);
});

it('what the network did on purpose is counted over both directions', () => {
  const { plan, events } = recordedRun('bios-ipxe-rom');
  const met = { source: 'wire', type: 'fault', fault: 0, action: 'delayMs', bytes: 60 } as const;
  const { findings } = judge(plan, [
    ...events.slice(0, 1),
    { ...met, tMs: 1000, direction: 'from-guest', what: 'dhcp discover', count: 1 },
    { ...met, tMs: 2000, direction: 'to-guest', what: 'dhcp offer', count: 2 },
    ...events.slice(1),
  ]);
  expect(findings).toContain(
    'fault 1, on purpose: 2 frames delayed, the first (dhcp discover from the guest) at 1.0 s',
  );
});

it('the diagnosis of a stop names what was injected', () => {
  const verdict = withFaults('bios-no-driver', ...naks, { fault: 0, action: 'silent', count: 1 });
  expect(verdict.diagnosis).toMatch(/^Stopped at /);
  expect(verdict.diagnosis).toContain(
    `Injected: ${said}; fault 1, on purpose: 1 DHCP request left without an answer, the first (request) at 3.0 s.`,
  );
});

const nakMet = { source: 'dhcp', fault: 0, action: 'nak', what: 'request', count: 1 } as const;

/** A recorded boot as that of a cell with these faults, of which it met some. */
function judged(name: Parameters<typeof recordedRun>[0], faults: object[], ...met: Met[]) {
  const { plan, events } = recordedRun(name);
  const scenario = { ...plan.scenario, faults: faults.map((fault) => faultSchema.parse(fault)) };
  const faultEvents = met.map((fault) => ({ tMs: 1000, type: 'fault', ...fault }) as FaultEvent);
  return judge({ ...plan, scenario }, [...events.slice(0, 1), ...faultEvents, ...events.slice(1)]);
}
type FaultEvent = Exclude<Extract<HarnessEvent, { type: 'fault' }>, { source: 'run' }>;
type Met = Partial<FaultEvent>;

describe('a fault that nothing met', () => {
  const nak = { server: 'dhcp', nak: true };
  const head = { server: 'http', match: { method: 'HEAD' }, status: 405 };

  it.each(['bios-ipxe-rom', 'bios-no-driver'] as const)('fails a cell that did what was expected: %s', (name) => {
    const { plan, events } = recordedRun(name);
    expect(judge(plan, events).status).toBe('passed');
    expect(judged(name, [nak], nakMet).status).toBe('passed');
    const verdict = judged(name, [nak, head], nakMet);
    const said = 'nothing met fault 2, {"server":"http","match":{"method":"HEAD"},"status":405}';
    expect(verdict.status).toBe('failed');
    expect(verdict.findings).toContain(said);
    expect(verdict.diagnosis).toContain(`Not put to the test: ${said}.`);
  });

  const never: [string, object][] = [
    ['of a protocol that the boot does without', { server: 'tls', alert: 'handshakeFailure' }],
    ['by a message that the client never sends', { server: 'dhcp', match: { message: 'inform' }, silent: true }],
    ['in a time that never comes', { from: { ms: 500_000 }, until: { ms: 500_001 }, drop: 1 }],
    ['after the last stage', { from: { stage: 'userspace' }, linkDownMs: 100 }],
    ['beyond the last request', { server: 'dhcp', of: { nth: 99 }, silent: true }],
    ['of frames', { match: { protocol: 'arp' }, drop: { first: 1 } }],
  ];
  it.each(never)('fails it %s', (_, fault) => {
    expect(judged('bios-ipxe-rom', [fault]).status).toBe('failed');
  });

  const link = { tMs: 9e5, source: 'wire', type: 'fault', action: 'linkDownMs', fault: 0, count: 1 } as const;
  const down = { ...link, direction: 'to-guest', what: 'link', bytes: 0 } as const;

  it.each(['bios-ipxe-rom', 'bios-no-driver'] as const)(
    'fails it though one came after what decides it: %s',
    (name) => {
      const { plan, events } = recordedRun(name);
      const faults = [faultSchema.parse({ linkDownMs: 100 })];
      const end = events.findIndex(({ source, type }) => source === 'run' && type === 'ended');
      const judgedAt = (place: number) =>
        judge({ ...plan, scenario: { ...plan.scenario, faults } }, events.toSpliced(place, 0, down)).status;
      expect([1, end, end + 1].map(judgedAt)).toEqual(['passed', 'failed', 'failed']);
    },
  );

  it('is named by what it does where it does several things', () => {
    const verdict = judged('bios-ipxe-rom', [{ ...nak, secondServer: {}, of: { first: 2 } }], nakMet);
    expect(verdict).toMatchObject({
      status: 'failed',
      diagnosis:
        'Not put to the test: nothing met the secondServer of fault 1, {"server":"dhcp","of":{"first":2},"nak":true,"secondServer":{}}.',
    });
  });

  it('is no failure where it is left to chance, and is said', () => {
    const verdict = judged('bios-ipxe-rom', [{ drop: 0.01 }]);
    const said = 'by chance nothing met fault 1, {"drop":0.01}';
    expect(verdict).toMatchObject({ status: 'passed', diagnosis: `Note: ${said}.` });
    expect(verdict.findings).toContain(said);
    expect(judged('bios-ipxe-rom', [{ drop: 1 }]).status).toBe('failed');
    expect(judged('bios-ipxe-rom', [{ server: 'dhcp', of: 0.5, delayMs: 100 }]).status).toBe('passed');
    expect(judged('bios-ipxe-rom', [{ truncate: { bytes: 20, of: 0.1 } }]).status).toBe('passed');
    expect(judged('bios-ipxe-rom', [{ linkDownMs: { ms: 9, of: 0.1 } }]).status).toBe('passed');
    expect(judged('bios-ipxe-rom', [{ linkDownMs: { ms: 9, of: { nth: 9 } } }]).status).toBe('failed');
    expect(judged('bios-ipxe-rom', [{ mtu: 576 }]).status).toBe('failed');
  });

  it('explains no stop, by chance or not', () => {
    const link = {
      source: 'wire',
      action: 'linkDownMs',
      direction: 'to-guest',
      what: 'link',
      bytes: 0,
      count: 1,
    } as const;
    const chance = { drop: 0.01 };
    expect(judged('bios-no-driver', [chance])).toMatchObject({
      status: 'failed',
      diagnosis: expect.stringContaining('Not put to the test: by chance nothing met fault 1'),
    });
    expect(judged('bios-no-driver', [chance, { linkDownMs: 100 }], { ...link, fault: 1 }).status).toBe('passed');
  });

  it('does not matter where the harness could not tell', () => {
    const { plan, events } = recordedRun('bios-ipxe-rom');
    const scenario = { ...plan.scenario, faults: [faultSchema.parse(nak)] };
    const trouble = { source: 'run', type: 'infrastructure', code: 'disk', message: 'full', retryable: true } as const;
    expect(judge({ ...plan, scenario }, [...events, { tMs: 2000, ...trouble }]).status).toBe('error');
  });
});

type TlsEvent = Extract<HarnessEvent, { source: 'wire'; type: 'tls' }>;

/** A boot of EDK II that refused a certificate, with faults of the TLS server instead. */
function overTls(fault: object, change: (events: readonly HarnessEvent[]) => HarnessEvent[]) {
  const { plan, events } = recordedRun('uefi-https-authority');
  const scenario = { ...plan.scenario, faults: [faultSchema.parse({ server: 'tls', ...fault })] };
  return judge({ ...plan, scenario, tls: { certificate: 'valid' } }, change(events)).diagnosis;
}

it('the diagnosis of a certificate that is refused is of the one that was shown', () => {
  const met = { source: 'http', type: 'fault', fault: 0, action: 'certificate', what: 'connection', count: 1 } as const;
  const diagnosis = overTls({ certificate: 'expired' }, ([first, ...rest]) => [
    ...(first ? [first] : []),
    { tMs: 1, ...met },
    ...rest,
  ]);
  expect(diagnosis).toContain("broke off the TLS handshake on seeing the server's certificate, which has expired");
});

it('the diagnosis of a handshake that the server ends with an alert is not of a certificate that the client never saw', () => {
  const alerted = (event: HarnessEvent): HarnessEvent[] => {
    if (event.source === 'http' && event.type === 'tls-refused') return [];
    if (event.source !== 'wire' || event.type !== 'tls') return [event];
    const { certificate: _, ...tls }: TlsEvent = event;
    if (tls.from === 'server') return [{ ...tls, kind: 'alert:handshake_failure' }];
    return tls.kind === 'left' ? [{ ...tls, kind: 'alert:close_notify' }, tls] : [tls];
  };
  const diagnosis = overTls({ alert: 'handshakeFailure' }, (events) => events.flatMap(alerted));
  expect(diagnosis).toContain(': the server ended the TLS handshake with an alert (handshake_failure).');
});
