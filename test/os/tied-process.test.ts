import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { tieToParent } from '../../harness/os/tied-process.ts';
import { tmpdirOfTest } from '../temporary-folder.ts';

let folder: string;
tmpdirOfTest((made) => {
  folder = made;
});

it('leaves program and arguments as they are', () => {
  const { file, args } = tieToParent('printf', ['%s|', 'one two', '$HOME', '']);
  expect(execFileSync(file, args, { encoding: 'utf8' })).toBe('one two|$HOME||');
});

/** Runs `argv` as a harness would that is killed after `spawn`, which gets what is to be spawned; its process. */
async function spawnedByKilled(argv: string[], spawn: string): Promise<number> {
  const code = `
    import { spawn } from 'node:child_process';
    import { createJiti } from 'jiti';
    const { tieToParent } = await createJiti(process.cwd() + '/x.mjs').import(process.cwd() + '/harness/os/tied-process.ts');
    const { file, args } = tieToParent(...${JSON.stringify([argv[0], argv.slice(1)])});
    const child = ${spawn};
    process.stdout.write(String(child.pid), () => process.kill(process.pid, 'SIGKILL'));`;
  const ended = await execa(process.execPath, ['--input-type=module', '--eval', code], { reject: false });
  expect(ended.signal).toBe('SIGKILL');
  return Number(ended.stdout);
}

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe.runIf(process.platform === 'linux')('once the harness is killed', () => {
  it('the process is gone', async () => {
    const pid = await spawnedByKilled(['sleep', '60'], `spawn(file, args, { detached: true, stdio: 'ignore' })`);
    await expect.poll(() => isThere(pid), { timeout: 10_000 }).toBe(false);
  });

  it('a process that had not come to its program does not start it', async () => {
    const late = 'while kill -0 "$0"; do sleep 0.05; done; exec "$@"';
    const spawn = `spawn('sh', ['-c', ${JSON.stringify(late)}, process.pid, file, ...args], { detached: true, stdio: 'ignore' })`;
    const started = join(folder, 'started');
    const pid = await spawnedByKilled(['touch', started], spawn);
    await expect.poll(() => isThere(pid), { timeout: 10_000 }).toBe(false);
    expect(existsSync(started)).toBe(false);
  });
});
