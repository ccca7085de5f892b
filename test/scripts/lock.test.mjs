import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

const lockModule = new URL('../../scripts/setup/lock.mjs', import.meta.url).href;

/** Takes the lock again and again, and says when it is inside; ends there the third time, if asked to. */
const contender = `
  import { appendFileSync, mkdirSync } from 'node:fs';
  const [, folder, dies] = process.argv;
  const { withLock } = await import(${JSON.stringify(lockModule)});
  const say = (word) => appendFileSync(folder + '/log', word + ' ' + process.pid + '\\n');
  for (let turn = 0; turn < 6; turn += 1) {
    withLock(() => {
      say('in');
      if (dies && turn === 2) process.kill(process.pid, 'SIGKILL');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      say('out');
    }, folder + '/lock');
  }`;

it('lets one set-up in at a time, also after one that was killed inside', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netboot-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const start = (...dies) =>
    spawn(process.execPath, ['--input-type=module', '--eval', contender, folder, ...dies], { stdio: 'ignore' });
  const all = [start(), start('dies'), start(), start('dies')];
  const ends = await Promise.all(all.map((one) => once(one, 'exit')));
  expect(ends.map(([code, signal]) => signal ?? code)).toEqual([0, 'SIGKILL', 0, 'SIGKILL']);

  const killed = [all[1], all[3]].map(({ pid }) => String(pid));
  let inside;
  for (const line of readFileSync(join(folder, 'log'), 'utf8').trim().split('\n')) {
    const [word, pid] = line.split(' ');
    if (word === 'in') {
      expect(inside === undefined || killed.includes(inside), `${pid} came in next to ${inside}`).toBe(true);
      inside = pid;
    } else {
      expect(pid).toBe(inside);
      inside = undefined;
    }
  }
});
