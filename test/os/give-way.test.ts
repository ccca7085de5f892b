import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, getPriority } from 'node:os';
import { expect, it } from 'vitest';
import { letGiveWay } from '../../harness/os/give-way.ts';

const behind = (nice: number): number => Math.min(constants.priority.PRIORITY_LOW, nice + 5);

/** undefined for a process without an autogroup, and on a kernel without them. */
function groupNice(pid: number | 'self'): number | undefined {
  try {
    const [nice] = /-?\d+$/.exec(readFileSync(`/proc/${pid}/autogroup`, 'latin1').trim()) ?? [];
    return nice === undefined ? undefined : Number(nice);
  } catch {
    return undefined;
  }
}

it('has a process, and its session, come after ours', () => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  const pid = child.pid as number;
  try {
    letGiveWay(pid);
    expect(getPriority(pid)).toBe(behind(getPriority()));
    // The kernel lets anyone but root change one group every tenth of a second (kernel/sched/autogroup.c).
    if (groupNice(pid) === undefined || process.getuid?.() !== 0) return;
    expect(groupNice(pid)).toBe(behind(groupNice('self') ?? getPriority()));
  } finally {
    child.kill('SIGKILL');
  }
});

it('does nothing about a process that has gone', () => {
  expect(() => letGiveWay(2 ** 22 + 1)).not.toThrow();
});
