import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import type { Plan } from '../../model/plan.ts';
import { shellWord } from '../../model/shell-word.ts';
import { type Standalone, tftpFolder } from '../../plan/standalone.ts';
import { pathInside } from '../records/inside.ts';
import { writeTree } from '../records/write-tree.ts';

function claim(folder: string): void {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length === 0) return;
  throw new HarnessError('usage', `${folder}: expected a new or empty folder, saw one with files in it`, {
    hint: 'Name another folder.',
  });
}

const comment = (text: string): string => `# ${text.replaceAll(/\s+/g, ' ')}`;

function script(id: string, { program, argv, differs }: Standalone): string {
  return [
    '#!/bin/sh',
    comment(`${id}, for plain QEMU. What differs from a run of the harness:`),
    ...differs.map((difference) => comment(`- ${difference}`)),
    'cd "$(dirname "$0")" || exit',
    `exec ${[program, ...argv].map(shellWord).join(' ')}`,
    '',
  ].join('\n');
}

/**
 * Writes a folder from which plain QEMU boots the case: run.sh, the files QEMU opens, and those it serves.
 * Rejects with `usage` if the folder is not empty, and with Node's own errors if it cannot be written.
 */
export async function writeStandalone(plan: Plan, standalone: Standalone, folder: string): Promise<void> {
  claim(folder);
  mkdirSync(join(folder, tftpFolder));
  await writeTree(plan.serve, join(folder, tftpFolder));
  for (const [name, text] of Object.entries(standalone.extraTexts)) writeFileSync(join(folder, tftpFolder, name), text);
  for (const [name, path] of Object.entries(standalone.files)) copyFileSync(path, pathInside(folder, name));
  writeFileSync(join(folder, 'run.sh'), script(plan.scenario.id, standalone), { mode: 0o755 });
}
