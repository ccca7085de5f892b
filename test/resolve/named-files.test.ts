import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Scenario } from '../../harness/model/scenario.ts';
import { checkNamedFiles } from '../../harness/resolve/named-files.ts';
import { scenario } from '../plan/found-scenario.ts';
import { folderOfFile } from '../temporary-folder.ts';

const folder = folderOfFile();
const at = (name: string) => join(folder, name);
beforeAll(() => {
  mkdirSync(at('folder'));
  writeFileSync(at('file'), 'x');
});

describe('files that a scenario names', () => {
  it('may be files, and folders where they are served', async () => {
    await checkNamedFiles(
      scenario({
        firmware: { code: at('file'), vars: at('file') },
        rom: { file: at('file') },
        secondStage: { file: at('file') },
        kernel: { file: at('file') },
        initrd: { file: at('file') },
        serve: { a: { path: at('file') }, b: { path: at('folder') }, c: { text: '' } },
      }),
    );
  });

  it.each<[string, () => Partial<Scenario>, string]>([
    ['firmware.code', () => ({ firmware: { code: at('none') } }), 'no such file'],
    ['firmware.vars', () => ({ firmware: { code: at('file'), vars: at('none') } }), 'no such file'],
    ['rom.file', () => ({ rom: { file: at('file/none') } }), 'no such file'],
    ['secondStage.file', () => ({ secondStage: { file: at('folder') } }), 'is not a file'],
    ['kernel.file', () => ({ kernel: { file: at('none') } }), 'no such file'],
    ['initrd.file', () => ({ initrd: { file: at('none') } }), 'no such file'],
    ['serve["a"]', () => ({ serve: { a: { path: at('none') } } }), 'no such file'],
    ['provisioner.cwd', () => ({ provisioner: { command: ['x'], cwd: at('none') } }), 'no such file'],
    ['serve["a"]', () => ({ serve: { a: { path: '/dev/null' } } }), 'is not a file or folder'],
  ])('%s is reported by case, key, path and fault: %#', async (key, over, fault) => {
    const named = scenario(over());
    await expect(checkNamedFiles(named)).rejects.toMatchObject({
      code: 'bad-matrix',
      message: expect.stringMatching(new RegExp(`^case: ${key.replace(/[[\].]/g, '\\$&')}: /\\S+: ${fault}`)),
      hint: expect.any(String),
    });
  });
});
