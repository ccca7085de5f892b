import type { Accel } from '../model/axes.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { GuestExit } from '../vm/qemu.ts';

/** QEMU that ends by itself before anything was seen of a guest did not start one; with -no-shutdown no guest ends it. */
export function startFailureOf(exit: GuestExit | undefined, events: readonly HarnessEvent[]): string | undefined {
  if (!exit || exit.byHarness) return undefined;
  if (events.some(({ source }) => source === 'serial' || source === 'wire')) return undefined;
  const complaint = exit.stderr.trim().split('\n').slice(-3).join(' ').slice(0, 500);
  return complaint || `it ended with ${exit.signal ?? exit.exitCode}`;
}

/** Sent by others: a kernel short of memory, a user, a service manager. Any other signal is a fault of QEMU itself. */
const sentSignals: readonly string[] = ['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGXCPU'];

/** A QEMU that was killed says nothing about its guest. */
export function killedBy(exit: GuestExit | undefined): string | undefined {
  return exit?.signal && !exit.byHarness && sentSignals.includes(exit.signal) ? exit.signal : undefined;
}

/** The accelerator's own failures: it stops the guest with an internal error, or QEMU aborts under it. */
export function acceleratorFailureOf(
  accel: Accel,
  events: readonly HarnessEvent[],
  exit: GuestExit | undefined,
): string | undefined {
  if (accel === 'tcg') return undefined;
  if (events.some((event) => event.source === 'qmp' && event.type === 'status' && event.status === 'internal-error')) {
    return `${accel} stopped the guest with an internal error`;
  }
  const aborted = exit && !exit.byHarness && (exit.signal === 'SIGABRT' || /KVM|MSR|hvf/i.test(exit.stderr));
  return aborted ? `QEMU ended under ${accel}: ${exit.stderr.trim().split('\n')[0] ?? exit.signal}` : undefined;
}
