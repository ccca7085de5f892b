import type { Accel } from '../model/axes.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { GuestExit } from '../vm/qemu.ts';
import { acceleratorComplaint, isPassing } from '../vm/qemu-messages.ts';

type Infrastructure = Pick<Extract<HarnessEvent, { type: 'infrastructure' }>, 'message' | 'retryable'>;

/** A QEMU that exits before any sign of a guest did not start one; with -no-shutdown no guest makes it exit. */
function startFailureOf(exit: GuestExit, events: readonly HarnessEvent[]): Infrastructure | undefined {
  if (events.some(({ source }) => source === 'serial' || source === 'wire')) return undefined;
  const complaint = exit.stderr.trim().split('\n').slice(-3).join(' ').slice(0, 500);
  return {
    message: `QEMU would not start: ${complaint || `it ended with ${exit.signal ?? exit.exitCode}`}`,
    // It would refuse the same command line again.
    retryable: exit.signal !== null || isPassing(complaint),
  };
}

/** Signals sent from outside: by the OOM killer, a user, a service manager. Any other is a crash of QEMU itself. */
const sentSignals: readonly string[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGXCPU'];

/** Why the exit of QEMU says nothing about its guest, if so. */
export function qemuTrouble(exit: GuestExit | undefined, events: readonly HarnessEvent[]): Infrastructure | undefined {
  if (exit === undefined || exit.byHarness) return undefined;
  if (exit.signal !== null && sentSignals.includes(exit.signal)) {
    return { message: `QEMU was killed from outside (${exit.signal})`, retryable: true };
  }
  return startFailureOf(exit, events);
}

/** The accelerator's own failures: the guest stops with an internal error, or QEMU exits and reports the failure. */
export function acceleratorFailureOf(
  accel: Accel,
  events: readonly HarnessEvent[],
  exit: GuestExit | undefined,
): string | undefined {
  if (accel === 'tcg') return undefined;
  if (events.some((event) => event.source === 'qmp' && event.type === 'status' && event.status === 'internal-error')) {
    return `${accel} stopped the guest with an internal error`;
  }
  const complaint = exit && !exit.byHarness && acceleratorComplaint(exit.stderr);
  return complaint ? `QEMU ended under ${accel}: ${complaint}` : undefined;
}
