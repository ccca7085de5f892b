import { spawn } from 'node:child_process';
import { readFileSync, type writeFileSync } from 'node:fs';
import { constants, getPriority } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

it('has processes, and their sessions, come after ours', async () => {
  const children = [1, 2, 3].map(() => spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }));
  const pids = children.map(({ pid }) => pid as number);
  try {
    for (const pid of pids) letGiveWay(pid);
    expect(pids.map((pid) => getPriority(pid))).toEqual(pids.map(() => behind(getPriority())));
    if (groupNice(pids[0] as number) === undefined) return;
    const wanted = pids.map(() => behind(groupNice('self') ?? getPriority()));
    await expect.poll(() => pids.map(groupNice), { timeout: 10_000 }).toEqual(wanted);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});

describe('where the kernel has changed a group just now', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A kernel that answers a write with each of these in turn, and then with the last. */
  function kernel(...answers: ('EAGAIN' | 'ENOENT' | 'taken')[]) {
    const written: string[] = [];
    const write = (path: string): void => {
      const answer = answers[Math.min(written.push(path), answers.length) - 1];
      if (answer !== 'taken') throw Object.assign(new Error(answer), { code: answer });
    };
    return { written, write: write as typeof writeFileSync };
  }

  it.each([
    ['until it takes it', ['EAGAIN', 'EAGAIN', 'taken'], 3],
    ['until the process has gone', ['EAGAIN', 'ENOENT'], 2],
  ] as const)('asks again, %s', (_, answers, times) => {
    const { written, write } = kernel(...answers);
    letGiveWay(2 ** 22 + 1, write);
    vi.advanceTimersByTime(60_000);
    expect(written).toEqual(Array(times).fill(`/proc/${2 ** 22 + 1}/autogroup`));
  });

  it('does not ask for ever', () => {
    const { written, write } = kernel('EAGAIN');
    letGiveWay(2 ** 22 + 1, write);
    vi.advanceTimersByTime(3_600_000);
    expect(written.length).toBeLessThan(100);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('does nothing about a process that has gone', () => {
  expect(() => letGiveWay(2 ** 22 + 1)).not.toThrow();
});
