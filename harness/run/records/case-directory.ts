import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { accels } from '../../model/axes.ts';
import type { Plan } from '../../model/plan.ts';
import { writeWhole } from '../../os/write-whole.ts';
import { reproScript } from './repro-script.ts';

/** Names inside a case's directory; documented in the README, so not to be changed lightly. */
export const caseFiles = {
  serial: 'serial.raw',
  console: 'console.txt',
  events: 'events.jsonl',
  capture: 'wire.pcapng',
  firmwareDebug: 'firmware-debug.log',
  stderr: 'qemu.stderr',
  plan: 'plan.json',
  qemu: 'qemu.json',
  result: 'result.json',
  repro: 'repro.sh',
  /** A folder: files and logs of the user's server. */
  provisioner: 'provisioner',
} as const;

/** Where an attempt's records are: for the first one, the case's own directory. */
export const attemptDirectory = (caseDir: string, attempt: number): string =>
  attempt === 1 ? caseDir : join(caseDir, `attempt-${attempt}`);

/** A record of the run as JSON, replaced as a whole. */
export function writeRecord(path: string, value: unknown): Promise<void> {
  return writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** QEMU as it was started: what the plan leaves to the host, and all arguments. */
export const startedQemuSchema = z.strictObject({
  program: z.string(),
  version: z.string(),
  accel: z.enum(accels),
  argv: z.array(z.string()),
});
export type StartedQemu = z.infer<typeof startedQemuSchema>;

export interface KnownBefore {
  plan: Plan;
  qemu: StartedQemu;
  /** Folders of artefact sets that a reproduction needs again. */
  setDirs: readonly string[];
}

/** What is known before the guest starts. */
export async function writePlanFiles(directory: string, { plan, qemu, setDirs }: KnownBefore): Promise<void> {
  await writeRecord(join(directory, caseFiles.plan), plan);
  await writeRecord(join(directory, caseFiles.qemu), qemu);
  writeFileSync(join(directory, caseFiles.repro), reproScript(plan.scenario, setDirs), { mode: 0o755 });
  // Present in every case's directory, even if the firmware writes nothing.
  writeFileSync(join(directory, caseFiles.firmwareDebug), '');
}
