import { expect, it } from 'vitest';
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

it('a stop is the one that faults were to bring about only if the guest met them', () => {
  const { plan, events } = recordedRun('bios-no-driver');
  const faulty = {
    ...plan,
    scenario: { ...plan.scenario, faults: [faultSchema.parse({ server: 'dhcp', nak: true })] },
  };
  const met: Fault = { tMs: 1000, source: 'dhcp', type: 'fault', what: 'request', fault: 0, action: 'nak', count: 1 };
  expect(judge(plan, events).status).toBe('passed');
  expect(judge(faulty, [...events.slice(0, 1), met, ...events.slice(1)]).status).toBe('passed');
  expect(judge(faulty, events)).toMatchObject({ status: 'failed', diagnosis: expect.stringContaining('met none') });
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
