import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants, getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { letGiveWay } from '../../harness/os/give-way.ts';

const nicest = constants.priority.PRIORITY_LOW;
const groupNice = (pid: number | 'self'): number =>
  Number(/-?\d+$/.exec(readFileSync(`/proc/${pid}/autogroup`, 'latin1').trim())?.[0]);

it('has a process, and its session, come after ours', () => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  const pid = child.pid as number;
  try {
    letGiveWay(pid);
    expect(getPriority(pid)).toBe(Math.min(nicest, getPriority() + 5));
    // The kernel lets anyone but root change one group every tenth of a second (kernel/sched/autogroup.c).
    if (!existsSync('/proc/self/autogroup') || process.getuid?.() !== 0) return;
    expect(groupNice(pid)).toBe(Math.min(nicest, groupNice('self') + 5));
  } finally {
    child.kill('SIGKILL');
  }
});

it('does nothing about a process that has gone', () => {
  expect(() => letGiveWay(2 ** 22 + 1)).not.toThrow();
});
