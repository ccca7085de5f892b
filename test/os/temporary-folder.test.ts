import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import { openTemporaryFolder, removeIfKilled } from '../../harness/os/temporary-folder.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const module = fileURLToPath(new URL('../../harness/os/temporary-folder.ts', import.meta.url));

/** A process that does this with the folder `path`, and is then killed. */
async function killed(doing: string, path: string): Promise<void> {
  const code = `
    import { createJiti } from 'jiti';
    const { removeIfKilled } = await createJiti(process.cwd() + '/x.mjs').import(${JSON.stringify(module)});
    const unfinished = removeIfKilled(${JSON.stringify(path)});
    ${doing}
    process.kill(process.pid, 'SIGKILL');`;
  await execa(process.execPath, ['--input-type=module', '--eval', code], { reject: false });
}

describe('what is unfinished', () => {
  it('goes when it is not needed, and stays when it is kept', async () => {
    const [one, other] = ['one', 'other'].map((name) => join(folder, name)) as [string, string];
    const unfinished = [removeIfKilled(one), removeIfKilled(other)] as const;
    mkdirSync(one);
    mkdirSync(other);
    await unfinished[0].remove();
    await unfinished[1].keep();
    expect([existsSync(one), existsSync(other)]).toEqual([false, true]);
  });

  it('goes with a process that is killed, unless it was kept', async () => {
    const [one, other] = ['one', 'other'].map((name) => join(folder, name)) as [string, string];
    mkdirSync(one);
    mkdirSync(other);
    await killed('', one);
    await killed('await unfinished.keep();', other);
    await expect.poll(() => existsSync(one), { timeout: 10_000 }).toBe(false);
    expect(existsSync(other)).toBe(true);
  });

  it.runIf(process.platform === 'linux')('stays and goes as ever where someone else ended its shell', async () => {
    const kept = join(folder, 'kept');
    const unfinished = removeIfKilled(kept);
    mkdirSync(kept);
    // Synchronous, so that its end has not been noticed yet.
    execaSync('pkill', ['-KILL', '-P', String(process.pid), '-f', `netboot-remover ${kept}`]);
    await unfinished.keep();
    expect(existsSync(kept)).toBe(true);
    await unfinished.remove();
    expect(existsSync(kept)).toBe(false);
  });

  it('in a temporary folder is gone after disposal', async () => {
    const opened = await openTemporaryFolder('netboot-test-');
    expect(existsSync(opened.path)).toBe(true);
    await opened[Symbol.asyncDispose]();
    expect(existsSync(opened.path)).toBe(false);
  });
});
