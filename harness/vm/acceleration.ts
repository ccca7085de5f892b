import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Accel, Arch, FirmwareInterface } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import { openJsonCache } from '../os/json-cache.ts';
import type { QemuFacts } from './host.ts';
import { startQemu } from './qemu.ts';
import { runningArgv } from './running-argv.ts';

export type AccelChoice = Accel | 'auto';

export interface AccelDecision {
  accel: Accel;
  /** Why `auto` chose so. */
  reason: string;
}

/**
 * How far a probe boot must come, and for how much CPU time: an accelerator that half works emulates what it cannot
 * run, slower than TCG, and dies later. SeaBIOS' own banner comes too early to tell.
 */
const signsOfLife: Record<FirmwareInterface, { pattern: RegExp; cpuMs: number }> = {
  bios: { pattern: /No bootable device|Booting from|Features: /, cpuMs: 800 },
  uefi: { pattern: /BdsDxe|>>Start|UEFI Interactive Shell|iPXE/, cpuMs: 5_000 },
};
const probeMs = 15_000;
const tooSlow = `the firmware did not come far enough within ${probeMs / 1000} s`;

const guestOf: Partial<Record<NodeJS.Architecture, Arch>> = { x64: 'x86_64', arm64: 'aarch64' };

/** The accelerator this host could have for that guest, before anything is tried. */
function candidate(plan: Plan, qemu: QemuFacts): { accel: Accel } | { reason: string } {
  if (guestOf[process.arch] !== plan.scenario.arch)
    return { reason: `this ${process.arch} host cannot accelerate ${plan.scenario.arch}` };
  if (process.platform === 'darwin') {
    return qemu.accels.has('hvf') ? { accel: 'hvf' } : { reason: 'this QEMU has no hvf' };
  }
  if (!qemu.accels.has('kvm')) return { reason: 'this QEMU has no kvm' };
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return { accel: 'kvm' };
  } catch {
    return { reason: '/dev/kvm cannot be opened' };
  }
}

const works = 'works';

/** Boots the plan's machine and firmware under `accel`, without its network; the complaint where it does not live. */
async function probeBoot(plan: Plan, qemu: QemuFacts, accel: Accel, signal: AbortSignal): Promise<string | undefined> {
  const cwd = await mkdtemp(join(tmpdir(), 'netboot-probe-'));
  const { pattern, cpuMs } = signsOfLife[plan.interface];
  let text = '';
  let trouble: string | undefined;
  let wake: () => void = () => {};
  const decided = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const timer = setTimeout(wake, probeMs);
  signal.addEventListener('abort', wake, { once: true });
  if (signal.aborted) wake();
  try {
    await using guest = await startQemu({
      program: plan.qemu.program,
      env: plan.qemu.env,
      argv: runningArgv(plan, qemu, accel),
      fds: plan.qemu.fds,
      cwd,
      onStderr: () => {},
      emit(event) {
        if (event.source !== 'qmp' || event.type !== 'event' || event.name !== 'STOP') return;
        trouble = `${accel} stopped the guest`;
        wake();
      },
    });
    guest.serial.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (pattern.test(text)) wake();
    });
    guest.exited.then(({ byHarness, stderr }) => {
      if (!byHarness) trouble = stderr.trim().split('\n')[0] || 'QEMU ended by itself';
      wake();
    });
    const tooDear = () => guest.cpuMs() > cpuMs;
    const watch = setInterval(() => tooDear() && wake(), 100);
    await decided;
    clearInterval(watch);
    if (tooDear()) trouble ??= `it took ${guest.cpuMs()} ms of CPU time, where ${cpuMs} ms would be much`;
  } catch (error) {
    trouble = error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
    await rm(cwd, { recursive: true, force: true });
  }
  return trouble ?? (pattern.test(text) ? undefined : tooSlow);
}

/**
 * Decides the accelerator of each case. `auto` trusts KVM (or hvf) only after a boot of that very firmware
 * under it, because a device that opens may still die in UEFI firmware; answers are kept by host, QEMU and
 * firmware in `cacheFile`.
 */
export function createAccelChooser(choice: AccelChoice, cacheFile: string | undefined) {
  const answers = openJsonCache({ file: cacheFile, version: 1, schema: z.string() });
  const pending = new Map<string, Promise<string>>();

  const keyOf = (plan: Plan, qemu: QemuFacts, accel: Accel): string => {
    const firmware = plan.inputs.find(({ role }) => role === 'firmware-code')?.sha256 ?? 'built-in';
    const host = [
      release(),
      cpus()[0]?.model ?? '',
      qemu.program,
      qemu.version,
      accel,
      plan.qemu.cpu[accel] ?? '',
    ].join('|');
    return `${createHash('sha256').update(host).digest('hex').slice(0, 16)}:${firmware}`;
  };

  const remember = (key: string, answer: string): Promise<void> => {
    answers.set(key, answer);
    return answers.save();
  };

  return {
    async choose(plan: Plan, qemu: QemuFacts, signal: AbortSignal): Promise<AccelDecision> {
      if (choice !== 'auto') return { accel: choice, reason: 'asked for' };
      const possible = candidate(plan, qemu);
      if ('reason' in possible) return { accel: 'tcg', reason: possible.reason };
      const { accel } = possible;
      const key = keyOf(plan, qemu, accel);
      let answer = answers.get(key);
      if (answer === undefined) {
        let probe = pending.get(key);
        if (!probe) {
          probe = probeBoot(plan, qemu, accel, signal).then((trouble) => trouble ?? works);
          pending.set(key, probe);
        }
        answer = await probe;
        // A guest may have been given up on while the probe ran; that answer stands.
        answer = answers.get(key) ?? answer;
        // What a busy host made too slow may be right another day.
        if (!signal.aborted && answer !== tooSlow) await remember(key, answer);
      }
      return answer === works
        ? { accel, reason: `a probe boot of this firmware under ${accel} worked` }
        : { accel: 'tcg', reason: `${accel} failed a boot of this firmware: ${answer}` };
    },
    /** An accelerator that passed its probe has given up on a guest: it is not trusted with this firmware again. */
    async distrust(plan: Plan, qemu: QemuFacts, accel: Accel, reason: string): Promise<void> {
      if (choice === 'auto') await remember(keyOf(plan, qemu, accel), reason);
    },
  };
}
export type AccelChooser = ReturnType<typeof createAccelChooser>;
