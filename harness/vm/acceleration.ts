import { accessSync, constants } from 'node:fs';
import type { Accel, Arch } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import { keyOf, openAcceleratorAnswers, type Question } from './accelerator-answers.ts';
import type { QemuFacts } from './host.ts';
import { type ProbeOutcome, probeBoot } from './probe-boot.ts';

export type AccelChoice = Accel | 'auto';

export interface AccelDecision {
  accel: Accel;
  /** Why `auto` chose so. */
  reason: string;
}

const guestOf: Partial<Record<NodeJS.Architecture, Arch>> = { x64: 'x86_64', arm64: 'aarch64' };

/** The accelerator this host should offer that guest, before anything is tried. */
export function offeredAccel(arch: Arch, qemu: Pick<QemuFacts, 'accels'>): { accel: Accel } | { reason: string } {
  if (guestOf[process.arch] !== arch) return { reason: `this ${process.arch} host cannot accelerate ${arch}` };
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

export interface AccelChooserOptions {
  choice: AccelChoice;
  /** Where answers are kept across runs. */
  cacheFile: string | undefined;
  /** Ends running probes. */
  signal: AbortSignal;
}

/**
 * Chooses each case's accelerator. `auto` trusts KVM (or hvf) only after booting that very firmware under it, because a
 * /dev/kvm that opens may still fail in UEFI firmware. Answers about the accelerator itself are kept by host, QEMU and
 * firmware; failures for a day.
 */
export function createAccelChooser({ choice, cacheFile, signal }: AccelChooserOptions) {
  const answers = openAcceleratorAnswers(cacheFile);
  const probes = new Map<string, Promise<ProbeOutcome>>();

  /** One probe per question for the whole run. */
  async function ask(question: Question & { plan: Plan; qemu: QemuFacts }): Promise<ProbeOutcome> {
    const { plan, qemu, accel } = question;
    const key = keyOf(question);
    const probe = probes.get(key) ?? probeBoot(plan, qemu, accel, signal);
    probes.set(key, probe);
    const outcome = await probe;
    // The accelerator may have given up on a guest while the probe ran: that answer stands.
    if (answers.get(question) !== undefined) return outcome;
    if (outcome.works) await answers.set(question, true, 'a probe boot worked');
    else if (outcome.lasting) await answers.set(question, false, outcome.reason);
    return outcome;
  }

  return {
    async choose(plan: Plan, qemu: QemuFacts): Promise<AccelDecision> {
      if ([plan, ...(plan.boots ?? [])].some(({ scenario }) => scenario.icount !== undefined))
        return { accel: 'tcg', reason: 'only TCG counts instructions' };
      if (choice !== 'auto') return { accel: choice, reason: 'asked for' };
      const possible = offeredAccel(plan.scenario.arch, qemu);
      if ('reason' in possible) return { accel: 'tcg', reason: possible.reason };
      const { accel } = possible;
      const question = { plan, qemu, accel };
      const outcome = answers.get(question) ?? (await ask(question));
      const answer = answers.get(question) ?? outcome;
      return answer.works
        ? { accel, reason: `a probe boot of this firmware under ${accel} worked` }
        : { accel: 'tcg', reason: `${accel} failed a boot of this firmware: ${answer.reason}` };
    },
    /** An accelerator that passed its probe has given up on a guest: it is not trusted with this firmware for now. */
    async distrust(plan: Plan, qemu: QemuFacts, accel: Accel, reason: string): Promise<void> {
      if (choice === 'auto') await answers.set({ plan, qemu, accel }, false, reason);
    },
  };
}
export type AccelChooser = ReturnType<typeof createAccelChooser>;
