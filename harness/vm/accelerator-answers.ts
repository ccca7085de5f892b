import { createHash } from 'node:crypto';
import { cpus, release } from 'node:os';
import { z } from 'zod';
import { type Accel, accels } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import { openJsonCache } from '../os/json-cache.ts';
import type { QemuFacts } from './host.ts';

/** How an accelerator fared with a firmware on this host. */
const answerSchema = z.strictObject({
  accel: z.enum(accels),
  /** Program and version. */
  qemu: z.string(),
  /** Its file, or QEMU's built-in one. */
  firmware: z.string(),
  works: z.boolean(),
  reason: z.string(),
  atMs: z.number(),
});
export type AcceleratorAnswer = z.infer<typeof answerSchema>;

/** Hosts get fixed: a failed accelerator is tried again after a day. */
export const failureLastsMs = 24 * 3_600_000;

export interface Question {
  plan: Pick<Plan, 'inputs' | 'qemu'>;
  qemu: Pick<QemuFacts, 'program' | 'version'>;
  accel: Accel;
}

const firmwareOf = ({ plan }: Question) => plan.inputs.find(({ role }) => role === 'firmware-code');

/** Depends on host, QEMU, CPU model and firmware. */
export function keyOf(question: Question): string {
  const { plan, qemu, accel } = question;
  const host = [release(), cpus()[0]?.model, qemu.program, qemu.version, accel, plan.qemu.cpu[accel]].join('|');
  const firmware = firmwareOf(question)?.sha256 ?? 'built-in';
  return `${createHash('sha256').update(host).digest('hex').slice(0, 16)}:${firmware}`;
}

/** Answers found by probing, kept in `file`. */
export function openAcceleratorAnswers(file: string | undefined) {
  const cache = openJsonCache({ file, version: 2, schema: answerSchema });
  const holds = ({ works, atMs }: AcceleratorAnswer): boolean => works || Date.now() < atMs + failureLastsMs;
  return {
    get(question: Question): AcceleratorAnswer | undefined {
      const answer = cache.get(keyOf(question));
      return answer && holds(answer) ? answer : undefined;
    },
    async set(question: Question, works: boolean, reason: string): Promise<void> {
      const { accel, qemu } = question;
      const firmware = firmwareOf(question)?.path ?? 'the firmware built into QEMU';
      const answer = { accel, qemu: `${qemu.program} ${qemu.version}`, firmware, works, reason, atMs: Date.now() };
      cache.set(keyOf(question), answer);
      await cache.save();
    },
    /** Failures that have not expired. */
    failures: (): AcceleratorAnswer[] => cache.all().filter((answer) => !answer.works && holds(answer)),
  };
}
