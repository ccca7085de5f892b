import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { openOfferedNics } from '../../harness/vm/offered-nics.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
  vi.stubEnv('PATH', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** As QEMU answers, `-device help` once only. */
async function installQemu(nic: string): Promise<void> {
  const program = join(folder, 'qemu-system-aarch64');
  const script = `#!/bin/sh
case "$1" in
--version) echo 'QEMU emulator version 9.1.0';;
-device)
  test -e ${folder}/asked-${nic} && exit 1
  : > ${folder}/asked-${nic}
  printf 'Network devices:\\nname "${nic}", bus PCI\\n\\nDisplay devices:\\nname "VGA", bus PCI\\n';;
*) echo;;
esac
`;
  await writeFile(program, script);
  await chmod(program, 0o755);
}

test('are asked for once, and again when QEMU is another one', async () => {
  const cacheFile = join(folder, 'nics.json');
  const offeredNics = () => openOfferedNics(cacheFile).byArch();
  expect(await offeredNics()).toEqual({ x86_64: [], aarch64: [] });
  await installQemu('e1000');
  for (const _ of ['asked', 'remembered']) {
    expect(await offeredNics()).toEqual({ x86_64: [], aarch64: ['e1000'] });
  }
  await installQemu('igb-of-tomorrow');
  expect((await offeredNics()).aarch64).toEqual(['igb-of-tomorrow']);
});

test('are those of one QEMU by its path, or of none', async () => {
  await installQemu('e1000');
  const offered = openOfferedNics(undefined);
  expect(await offered.of({ program: join(folder, 'qemu-system-aarch64'), env: {} })).toEqual(['e1000']);
  expect(await offered.of({ program: join(folder, 'qemu-system-nothing'), env: {} })).toBeUndefined();
});
