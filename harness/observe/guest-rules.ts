import type { HarnessEvent } from '../model/events.ts';
import type { Rule } from './evidence.ts';

export type GuestEvent = Extract<HarnessEvent, { source: 'qmp' | 'vm' | 'run' }>;

/** QMP's word for why a guest is no longer running (QEMU's qapi/run-state.json, ShutdownCause). */
const shutdownCauses: Record<string, string> = {
  'guest-reset': 'guest-reset',
  'guest-shutdown': 'guest-shutdown',
  'guest-panic': 'guest-panicked',
  'subsystem-reset': 'guest-reset',
};

const ending = (text: string) => ({ failure: true as const, text, ends: true });

export const guestRules: readonly Rule<GuestEvent>[] = [
  {
    name: 'guest-reset',
    proves: 'QEMU says the guest asked for a reset, and it runs with -no-reboot',
    match: (event) =>
      event.source === 'qmp' &&
      event.type === 'event' &&
      event.name === 'SHUTDOWN' &&
      shutdownCauses[String(event.data.reason)] === 'guest-reset'
        ? ending('the guest reset itself')
        : undefined,
  },
  {
    name: 'guest-shutdown',
    proves: 'QEMU says the guest powered itself off',
    match: (event) =>
      event.source === 'qmp' &&
      event.type === 'event' &&
      event.name === 'SHUTDOWN' &&
      shutdownCauses[String(event.data.reason)] === 'guest-shutdown'
        ? ending('the guest powered itself off')
        : undefined,
  },
  {
    name: 'guest-panicked',
    proves: 'QEMU says the guest panicked',
    match: (event) =>
      event.source === 'qmp' &&
      event.type === 'event' &&
      (event.name === 'GUEST_PANICKED' || shutdownCauses[String(event.data.reason)] === 'guest-panicked')
        ? ending('the guest panicked')
        : undefined,
  },
  {
    name: 'guest-gone',
    proves: 'the QEMU process ended by itself',
    match: (event) =>
      event.source === 'vm' && event.type === 'exited' && !event.byHarness
        ? ending(`QEMU ended by itself (${event.signal ?? `exit code ${event.exitCode}`})`)
        : undefined,
  },
  {
    name: 'deadline',
    proves: 'the stage did not come in the time allowed, scaled by accelerator and host load',
    match: (event) =>
      event.source === 'run' && event.type === 'deadline'
        ? ending(
            `no ${event.stage === 'total' ? 'end of the boot' : `${event.stage} stage`} within ${Math.round(event.allowedMs / 1000)} s`,
          )
        : undefined,
  },
];
