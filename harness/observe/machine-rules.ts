import type { RecordBound } from '../model/bounds.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { FailureRule } from '../model/failure-rules.ts';
import { wholeSeconds } from '../model/time-text.ts';
import type { Rule, RuleMatch } from './evidence.ts';

export type GuestEvent = Extract<HarnessEvent, { source: 'qmp' | 'vm' | 'run' }>;

/** QMP reports a shutdown for one of these causes (QEMU's qapi/run-state.json, ShutdownCause). */
const shutDownBy = (event: GuestEvent, ...causes: readonly string[]): boolean =>
  event.source === 'qmp' &&
  event.type === 'event' &&
  event.name === 'SHUTDOWN' &&
  causes.includes(String(event.data.reason));

type Bounded = Extract<HarnessEvent, { type: 'bounded' }>;

/** Text for each bound of a case's records. */
const boundTexts: Record<RecordBound, (limit: number) => string> = {
  eventLogBytes: (limit) => `the event log has reached ${mebibytes(limit)}`,
  serialBytes: (limit) => `the serial port has sent ${mebibytes(limit)}`,
  consoleLines: (limit) => `the console has shown ${limit} lines`,
  idleFrames: (limit) => `${limit} frames asked for no service`,
  firmwareDebugBytes: (limit) => `the firmware's debug log has reached ${mebibytes(limit)}`,
  captureBytes: (limit) => `the capture has reached ${mebibytes(limit)}`,
  captureBacklogBytes: (limit) => `the disk fell ${mebibytes(limit)} behind the capture`,
  provisionerLogBytes: (limit) => `the log of a program of the provisioner has reached ${mebibytes(limit)}`,
  stderrBytes: (limit) => `QEMU's error output has reached ${mebibytes(limit)}`,
};
const mebibytes = (bytes: number): string => `${bytes / (1 << 20)} MiB`;

export const boundText = ({ what, limit }: Pick<Bounded, 'what' | 'limit'>): string => boundTexts[what](limit);

const ending = (failure: FailureRule, text: string): RuleMatch => ({ failure, text, ends: true });

/** A guest that used this share of the time is busy; a waiting one uses next to none. */
const atWork = 0.5;

function deadlineText(event: Extract<GuestEvent, { type: 'deadline' }>): string {
  const { stage, allowedMs, waitedMs, wallMs = 0, workedMs = 0 } = event;
  const awaited = stage === 'total' ? 'end of the boot' : `${stage} stage`;
  // Explain the difference on a busy host.
  const byTheClock =
    wallMs > allowedMs * 1.5 ? ` in which the guest could run (${wholeSeconds(wallMs)} by the clock)` : '';
  const work = workedMs >= waitedMs * atWork ? ', with the guest at work all the while' : '';
  return `no ${awaited} within ${wholeSeconds(allowedMs)}${byTheClock}${work}`;
}

export const machineRules: readonly Rule<GuestEvent>[] = [
  {
    name: 'guest-reset',
    proves: 'QEMU says the guest asked for a reset, and it runs with -no-reboot',
    match: (event) =>
      shutDownBy(event, 'guest-reset', 'subsystem-reset') ? ending('guest-reset', 'the guest reset itself') : undefined,
  },
  {
    name: 'guest-shutdown',
    proves: 'QEMU says the guest powered itself off',
    match: (event) =>
      shutDownBy(event, 'guest-shutdown') ? ending('guest-shutdown', 'the guest powered itself off') : undefined,
  },
  {
    name: 'guest-panicked',
    proves: 'QEMU says the guest panicked',
    match: (event) =>
      shutDownBy(event, 'guest-panic') ||
      (event.source === 'qmp' && event.type === 'event' && event.name === 'GUEST_PANICKED')
        ? ending('guest-panicked', 'the guest panicked')
        : undefined,
  },
  {
    name: 'guest-gone',
    proves: 'QEMU runs with -no-shutdown, so no guest can make it exit: this was not the guest',
    match: (event) =>
      event.source === 'vm' && event.type === 'exited' && !event.byHarness
        ? ending('guest-gone', `QEMU ended by itself (${event.signal ?? `exit code ${event.exitCode}`})`)
        : undefined,
  },
  {
    name: 'guest-flood',
    proves: 'the guest sent so much that a record of the case is full: what it did later is unknown',
    match: (event) =>
      event.source === 'run' && event.type === 'bounded' && event.ends
        ? ending('guest-flood', `the guest floods: ${boundText(event)}`)
        : undefined,
  },
  {
    name: 'deadline',
    proves: 'the stage was not reached in the time allowed, counting only time in which the guest could run',
    match: (event) =>
      event.source === 'run' && event.type === 'deadline' ? ending('deadline', deadlineText(event)) : undefined,
  },
  {
    name: 'silent',
    proves: 'this guest has been at rest for longer than any known pause: nothing it waits for can come',
    match: (event) =>
      event.source === 'run' && event.type === 'silent'
        ? ending(
            'silent',
            `no ${event.stage} stage, and the guest is at rest: for ${wholeSeconds(event.restedMs)} no work, no frame and nothing on the console`,
          )
        : undefined,
  },
];
