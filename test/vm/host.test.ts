import fs, { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probeQemu } from '../../harness/vm/host.ts';
import { openOfferedNics } from '../../harness/vm/offered-nics.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder = '';
folderOfTest((made) => {
  folder = made;
});

/** Answers as QEMU does, but for what comes first in its script. */
function qemuThat(first: string): { program: string; env: Record<string, string> } {
  const program = join(folder, 'qemu-system-x86_64');
  const answers = `case "$1" in
--version) echo 'QEMU emulator version 9.1.0';;
-device) printf 'Network devices:\\nname "e1000", bus PCI\\n';;
-accel) printf 'Accelerators supported in QEMU binary:\\ntcg\\n';;
-help) printf -- 'usage: qemu\\n-sandbox on\\n';;
esac
`;
  writeFileSync(program, `#!/bin/sh\n${first}\n${answers}`);
  chmodSync(program, 0o755);
  return { program, env: {} };
}

/** Has the file removed after somebody has looked at it once. */
function goneAfterOneLook(path: string): Disposable {
  const { statSync } = fs;
  const look = ((...args: Parameters<typeof statSync>) => {
    const seen = statSync(...args);
    if (args[0] === path) rmSync(path);
    return seen;
  }) as typeof statSync;
  const use = (one: typeof statSync): void => {
    Object.assign(fs, { statSync: one });
    syncBuiltinESMExports();
  };
  use(look);
  return { [Symbol.dispose]: () => use(statSync) };
}

describe('what a QEMU can do', () => {
  it.each([
    ['is killed', 'kill -9 $$', 'SIGKILL'],
    ['fails', 'exit 1', 'exit code 1'],
  ])('is not taken from an answer that it %s in, and asked again', async (_, end, seen) => {
    const asked = join(folder, 'asked');
    const qemu = qemuThat(
      `if [ "$1" = -help ] && ! [ -e ${asked} ]; then : > ${asked}; echo 'usage: qemu'; ${end}; fi`,
    );
    await expect(probeQemu(qemu)).rejects.toMatchObject({
      code: 'qemu-failed',
      message: expect.stringMatching(new RegExp(`qemu-system-x86_64 -help.*${seen}|${seen}.*qemu-system-x86_64 -help`)),
    });
    expect(existsSync(asked)).toBe(true);
    expect(await probeQemu(qemu)).toMatchObject({ version: '9.1.0', nics: ['e1000'], sandbox: true });
  });

  it('is not known once the program is gone', async () => {
    const qemu = qemuThat('');
    await probeQemu(qemu);
    rmSync(qemu.program);
    await expect(probeQemu(qemu)).rejects.toMatchObject({ code: 'missing-program' });
  });

  it('is not known of a program that goes while it is looked at', async () => {
    const [asked, listed] = [qemuThat(''), openOfferedNics(undefined)];
    {
      using _ = goneAfterOneLook(asked.program);
      await expect(probeQemu(asked)).rejects.toMatchObject({ code: 'missing-program' });
    }
    const again = qemuThat('');
    using _ = goneAfterOneLook(again.program);
    expect(await listed.of(again)).toBeUndefined();
  });
});
