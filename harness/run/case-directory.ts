import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../model/plan.ts';
import { shellWord } from '../model/shell-word.ts';
import { writeWhole } from '../os/write-whole.ts';

/** Names inside a case's directory; documented in the README, so they do not change lightly. */
export const caseFiles = {
  serial: 'serial.raw',
  console: 'console.txt',
  events: 'events.jsonl',
  capture: 'wire.pcapng',
  firmwareDebug: 'firmware-debug.log',
  stderr: 'qemu.stderr',
  plan: 'plan.json',
  result: 'result.json',
  repro: 'repro.sh',
} as const;

/** A record of the run as JSON, replaced as a whole. */
export function writeRecord(path: string, value: unknown): Promise<void> {
  return writeWhole(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** What is known before the guest starts. */
export async function writePlanFiles(directory: string, plan: Plan, runningArgv: readonly string[]): Promise<void> {
  await writeRecord(join(directory, caseFiles.plan), plan);
  const reproduce = [
    '#!/bin/sh',
    `# ${plan.scenario.id}: the same case with the same inputs; their SHA-256 are checked first.`,
    `# QEMU's own command line, for reading (its descriptors 3 to 6 are the harness's):`,
    `#   ${[plan.qemu.program, ...runningArgv].map(shellWord).join(' ')}`,
    'exec netboot repro "$(dirname "$0")" "$@"',
    '',
  ];
  writeFileSync(join(directory, caseFiles.repro), reproduce.join('\n'), { mode: 0o755 });
  // Present in every case's directory, whatever the firmware has to say.
  writeFileSync(join(directory, caseFiles.firmwareDebug), '');
}
