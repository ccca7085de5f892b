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
