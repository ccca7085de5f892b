import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../model/plan.ts';
import { shellWord } from '../model/shell-word.ts';

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

/** Whoever reads the file sees the old one or the new one, also after a kill: never half of one. */
export function writeJson(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** What is known before the guest starts. */
export function writePlanFiles(directory: string, plan: Plan, runningArgv: readonly string[]): void {
  writeJson(join(directory, caseFiles.plan), plan);
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
