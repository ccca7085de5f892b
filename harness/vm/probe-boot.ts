import type { Accel, FirmwareInterface } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import { openTemporaryFolder } from '../os/temporary-folder.ts';
import type { QemuFacts } from './host.ts';
import { type GuestExit, startQemu } from './qemu.ts';
import { acceleratorComplaint, isPassing } from './qemu-messages.ts';
import { runningArgv } from './running-argv.ts';

export type ProbeOutcome =
  | { works: true }
  | {
      works: false;
      reason: string;
      /** The accelerator's own, lasting fault; otherwise the probe says nothing about it. */
      lasting: boolean;
    };

/**
 * How far a probe boot must get, and within how much CPU time: an accelerator that half works emulates what it cannot
 * run, slower than TCG, and dies later. SeaBIOS' banner is too early to prove anything.
 */
const signsOfLife: Record<FirmwareInterface, { pattern: RegExp; cpuMs: number }> = {
  bios: { pattern: /No bootable device|Booting from|Features: /, cpuMs: 800 },
  uefi: { pattern: /BdsDxe|>>Start|UEFI Interactive Shell|iPXE/, cpuMs: 5_000 },
};
const probeMs = 15_000;
const watchMs = 100;

const failed = (reason: string, lasting: boolean): ProbeOutcome => ({ works: false, reason, lasting });

function outcomeOfExit({ stderr, signal, exitCode }: GuestExit): ProbeOutcome {
  const complaint = acceleratorComplaint(stderr);
  if (complaint !== undefined) return failed(complaint, !isPassing(complaint));
  return failed(stderr.trim().split('\n')[0] || `QEMU ended with ${signal ?? exitCode}`, false);
}

/** Boots in `cwd` until the outcome is clear. */
async function boot(plan: Plan, argv: string[], cwd: string, signal: AbortSignal): Promise<ProbeOutcome> {
  const { pattern, cpuMs } = signsOfLife[plan.interface];
  const { program, env, fds } = plan.qemu;
  let decide: (outcome: ProbeOutcome) => void = () => {};
  const decided = new Promise<ProbeOutcome>((resolve) => {
    decide = resolve;
  });
  await using guest = await startQemu({
    program,
    env,
    argv,
    fds,
    cwd,
    onStderr: () => {},
    emit(event) {
      if (event.source === 'qmp' && event.type === 'event' && event.name === 'STOP')
        decide(failed('it stopped the guest', true));
    },
  });
  let text = '';
  guest.serial.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (pattern.test(text)) decide({ works: true });
  });
  guest.serial.resume();
  guest.exited.then((exit) => decide(outcomeOfExit(exit)));
  const watch = setInterval(() => {
    if (guest.cpuMs() > cpuMs) {
      decide(failed(`it took ${guest.cpuMs()} ms of CPU time, against a limit of ${cpuMs} ms`, true));
    }
  }, watchMs);
  // Too slow on a busy host may be fine another day.
  const late = failed(`the firmware did not get far enough within ${probeMs / 1000} s`, false);
  const timer = setTimeout(() => decide(late), probeMs);
  const onAbort = (): void => decide(failed('the probe was interrupted', false));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await decided;
  } finally {
    clearInterval(watch);
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Boots the plan's machine and firmware under `accel`, without its network. Never rejects. */
export async function probeBoot(plan: Plan, qemu: QemuFacts, accel: Accel, signal: AbortSignal): Promise<ProbeOutcome> {
  try {
    await using folder = await openTemporaryFolder('netboot-probe-');
    return await boot(plan, runningArgv(plan, qemu, accel), folder.path, signal);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error), false);
  }
}
