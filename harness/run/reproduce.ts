import { randomBytes } from 'node:crypto';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { HarnessError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import { createContentCache } from '../services/tree/content-cache.ts';
import { type AccelChoice, createAccelChooser } from '../vm/acceleration.ts';
import { probeQemu } from '../vm/host.ts';
import { type AttemptOptions, type AttemptResult, runAttempt } from './attempt.ts';
import { cpuPressure } from './cpu-load.ts';

/** The same plan for another guest: only the nonce is new, wherever the served texts have it. */
export function withNewNonce(plan: Plan): Plan {
  const nonce = randomBytes(plan.nonce.length / 2).toString('hex');
  return JSON.parse(JSON.stringify(plan).replaceAll(plan.nonce, nonce));
}

/** Rejects with `changed-input` where a file of the plan is no longer what it was, or `missing-asset` where it is gone. */
export async function checkInputs(plan: Plan, fingerprints: Fingerprints): Promise<void> {
  for (const { role, path, sha256 } of plan.inputs) {
    const now = await fingerprints.of(path);
    if (now.sha256 === sha256) continue;
    throw new HarnessError(
      'changed-input',
      `${path} (${role}) is not what it was: expected SHA-256 ${sha256}, saw ${now.sha256}`,
      { hint: 'put the file of that time back, or run the case anew by its id', details: { path, role } },
    );
  }
}

export interface Reproduction {
  plan: Plan;
  /** Where the records go. */
  directory: string;
  accel: AccelChoice;
  fingerprints: Fingerprints;
  terminal?: AttemptOptions['terminal'];
  onStage(stage: Stage, atMs: number): void;
  signal: AbortSignal;
}

/** Boots a planned case once more, alone, after checking that its inputs are the same. */
export async function reproduce(options: Reproduction): Promise<AttemptResult> {
  const { fingerprints, signal, directory } = options;
  await checkInputs(options.plan, fingerprints);
  const plan = withNewNonce(options.plan);
  const qemu = await probeQemu(plan.qemu.program);
  const { accel } = await createAccelChooser(options.accel, undefined)(plan, qemu, signal);
  return runAttempt({
    plan,
    attempt: 1,
    directory,
    qemu,
    accel,
    cache: createContentCache(),
    pressure: cpuPressure,
    onStage: options.onStage,
    terminal: options.terminal,
    signal,
  });
}
