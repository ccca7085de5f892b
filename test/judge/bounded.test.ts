import { expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import { boundReached, type RecordBound } from '../../harness/model/bounds.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { tokenOf } from '../../harness/model/stages.ts';
import { type RecordedRun, recordedRun } from './recorded-run.ts';

const run = recordedRun('bios-ipxe-rom');
const tokenAt = run.events.findIndex(
  (event) => event.source === 'serial' && event.text.trim() === tokenOf(run.plan.nonce),
);

/** The log of a case whose record filled up before event `at`, and which ended there if it had to. */
function boundedAt(at: number, what: RecordBound): HarnessEvent[] {
  const { events }: RecordedRun = run;
  const bounded = boundReached(what);
  const { tMs } = events[at] as HarnessEvent;
  const rest = bounded.ends ? [{ tMs, source: 'run', type: 'ended', reason: 'failure' } as const] : events.slice(at);
  return [...events.slice(0, at), { tMs, ...bounded }, ...rest];
}

it.each(['eventLogBytes', 'serialBytes', 'consoleLines', 'idleFrames', 'firmwareDebugBytes'] as const)(
  'a guest that filled %s before it was through has failed, and is said to flood',
  (what) => {
    const verdict = judge(run.plan, boundedAt(tokenAt, what));
    expect(verdict).toMatchObject({ status: 'failed', failure: { rule: 'guest-flood' } });
    expect(verdict.stoppedAt).toBe(run.plan.stagePath.at(-1));
    expect(verdict.diagnosis).toContain('the guest floods: ');
  },
);

it('a guest that had proven everything has passed, however much it says after', () => {
  expect(judge(run.plan, boundedAt(tokenAt + 1, 'eventLogBytes')).status).toBe('passed');
});

it.each([
  ['captureBytes', 'the capture has reached 512 MiB'],
  ['captureBacklogBytes', 'the disk fell 16 MiB behind the capture'],
  ['stderrBytes', "QEMU's error output has reached 1 MiB"],
] as const)('a record that left things out at %s changes no verdict, and is a finding', (what, text) => {
  const verdict = judge(run.plan, boundedAt(5, what));
  expect(verdict.status).toBe('passed');
  expect(verdict.findings).toContainEqual(`a record is incomplete: ${text}`);
});
