import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Accel, FirmwareInterface } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import type { QemuFacts } from './host.ts';
import { type GuestExit, startQemu } from './qemu.ts';
import { acceleratorComplaint, isPassing } from './qemu-messages.ts';
import { runningArgv } from './running-argv.ts';

export type ProbeOutcome =
  | { works: true }
  | {
      works: false;
      reason: string;
      /** The accelerator's own fault, which it will have tomorrow; otherwise nothing is known of it. */
      lasting: boolean;
    };

/**
 * How far a probe boot must come, and for how much CPU time: an accelerator that half works emulates what it cannot
 * run, slower than TCG, and dies later. SeaBIOS' own banner comes too early to tell.
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

/** Boots in `cwd` until the first thing is seen that decides. */
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
  guest.exited.then((exit) => decide(outcomeOfExit(exit)));
  const watch = setInterval(() => {
    if (guest.cpuMs() > cpuMs) {
      decide(failed(`it took ${guest.cpuMs()} ms of CPU time, where ${cpuMs} ms would be much`, true));
    }
  }, watchMs);
  // What a busy host made too slow may be right another day.
  const late = failed(`the firmware did not come far enough within ${probeMs / 1000} s`, false);
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
  let cwd: string | undefined;
  try {
    cwd = await mkdtemp(join(tmpdir(), 'netboot-probe-'));
    return await boot(plan, runningArgv(plan, qemu, accel), cwd, signal);
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error), false);
  } finally {
    if (cwd !== undefined) await rm(cwd, { recursive: true, force: true }).catch(() => {});
  }
}
