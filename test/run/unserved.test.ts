import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { attempt, planWith } from './in-qemus-place.ts';

const folder = folderOfFile();

it('a guest that gives up while QEMU does nothing for it has not failed', async () => {
  const program = join(folder, 'qemu');
  writeFileSync(program, "#!/bin/sh\nprintf 'No bootable device.\\r\\n' >&5\nexec sleep 60\n");
  chmodSync(program, 0o755);
  const plan = planWith('bios-no-driver', 'unused', {}, join(folder, 'big'));
  const itsPlan = { ...plan, qemu: { ...plan.qemu, program } };
  const { verdict, events } = await attempt(itsPlan, join(folder, 'case'));
  expect(verdict).toMatchObject({ status: 'error', failure: { rule: 'seabios-no-boot' } });
  expect(verdict.diagnosis).toMatch(/^The harness could not tell: .*QEMU could not serve/);
  expect(judge(itsPlan, events)).toEqual(verdict);
});
