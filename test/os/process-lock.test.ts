import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LockOwner, type ProcessLock, takeProcessLock } from '../../harness/os/process-lock.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
let path: string;
folderOfTest((made) => {
  folder = made;
  path = join(folder, 'run.lock');
});

const heldBy = (owner: Partial<LockOwner>) =>
  writeFileSync(path, JSON.stringify({ pid: process.pid, host: hostname(), started: null, ...owner }));

function taken(): ProcessLock {
  const lock = takeProcessLock(path);
  if (lock.heldBy !== undefined) throw new Error(`held by ${lock.heldBy.pid}`);
  return lock;
}

it('is held by one at a time, and leaves nothing behind', () => {
  const lock = taken();
  expect(takeProcessLock(path)).toMatchObject({ heldBy: { pid: process.pid, host: hostname() } });
  lock[Symbol.dispose]();
  expect(readdirSync(folder)).toEqual([]);
  taken()[Symbol.dispose]();
});

describe('is taken over', () => {
  it('from a process that has died', () => {
    const { pid } = spawnSync('true');
    heldBy({ pid });
    using _ = taken();
    expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['run.lock']);
  });

  it.runIf(process.platform === 'linux')('from one whose pid is used again', () => {
    heldBy({ started: '1' });
    taken()[Symbol.dispose]();
  });

  it.each(['', '{"pid":', '{"pid":"1"}', 'x'.repeat(4000)])('from a file that names no process: %j', (text) => {
    writeFileSync(path, text);
    taken()[Symbol.dispose]();
  });
});

it('is not taken from a process on another host, which cannot be seen', () => {
  const { pid } = spawnSync('true');
  heldBy({ pid, host: 'another' });
  expect(takeProcessLock(path)).toMatchObject({ heldBy: { pid, host: 'another' } });
});

it('that another process has taken over is not removed by the one that lost it', () => {
  const lost = taken();
  heldBy({ pid: process.ppid });
  lost[Symbol.dispose]();
  expect(JSON.parse(readFileSync(path, 'utf8')).pid).toBe(process.ppid);
  expect(readdirSync(folder)).toEqual(['run.lock']);
});

it('cannot be a link to nowhere, nor lie in a folder that is not there', () => {
  symlinkSync('nowhere', path);
  expect(() => takeProcessLock(path)).toThrow('no lock file');
  expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  expect(() => takeProcessLock(join(folder, 'none', 'run.lock'))).toThrow('ENOENT');
});
