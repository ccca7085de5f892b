import { describe, expect, it } from 'vitest';
import type { ExpectedLength, RunStart } from '../../harness/model/reporter.ts';
import { createTimeLeft } from '../../harness/report/time-left.ts';
import { recordedLengths } from '../../scenarios/recorded-lengths.ts';

const recorded: Record<string, ExpectedLength> = Object.fromEntries(
  Object.entries(recordedLengths).map(([id, [durationS, guestCpuS]]) => [
    id,
    { durationMs: durationS * 1000, guestCpuMs: guestCpuS * 1000 },
  ]),
);

const longestMs = Math.max(...Object.values(recorded).map(({ durationMs }) => durationMs));

interface Host {
  cores: number;
  jobs?: number;
  /** 2: takes twice the recorded time. */
  slowness?: number;
  /** Not judged before. */
  fromMs?: number;
}

interface Estimate {
  atMs: number;
  leftMs: number;
}

/** Replays a run of the recorded cases: the longest first, while there is CPU time for one more. */
function replay(lengths: Record<string, ExpectedLength>, { cores, jobs, slowness = 1 }: Host) {
  const start: RunStart = { matrix: 'm', outDir: '/out', total: 0, expected: lengths, cores, jobs };
  const timeLeft = createTimeLeft(start);
  const pending = Object.entries(lengths).sort(([, a], [, b]) => b.durationMs - a.durationMs);
  const running = new Map<string, { needMs: number; load: number }>();
  const estimates: Estimate[] = [];
  const stepMs = 250;
  let nowMs = 0;
  let admittedMs = -1000;
  const load = () => [...running.values()].reduce((sum, one) => sum + one.load, 0);
  const hasRoom = () =>
    jobs === undefined
      ? running.size < cores || (load() < 0.88 * cores && nowMs - admittedMs >= 250)
      : running.size < jobs;
  for (; pending.length + running.size > 0; nowMs += stepMs) {
    while (pending.length > 0 && hasRoom()) {
      const [id, { durationMs, guestCpuMs }] = pending.shift() as [string, ExpectedLength];
      timeLeft.started(id, nowMs);
      running.set(id, { needMs: durationMs * slowness, load: guestCpuMs / Math.max(1, durationMs) });
      admittedMs = nowMs;
    }
    const speed = Math.min(1, cores / load());
    for (const [id, one] of running) {
      one.needMs -= stepMs * speed;
      if (one.needMs > 0) continue;
      running.delete(id);
      timeLeft.ended(id);
    }
    const leftMs = timeLeft.leftMs(nowMs);
    if (leftMs !== undefined) estimates.push({ atMs: nowMs, leftMs });
  }
  return { estimates, endMs: nowMs, left: timeLeft.leftMs(nowMs) };
}

describe('time left of a run of the recorded lengths', () => {
  it.each<[string, Host]>([
    ['on two cores', { cores: 2 }],
    ['on eight cores', { cores: 8 }],
    ['four at once', { cores: 4, jobs: 4 }],
    ['one at a time', { cores: 2, jobs: 1 }],
    // The first of its boots end after twice the longest length.
    ['on a host half as fast', { cores: 2, slowness: 2, fromMs: 3 * longestMs }],
  ])('%s is right within a quarter, or ten seconds, once it has seen a few boots', (_, host) => {
    const { estimates, endMs, left } = replay(recorded, host);
    const wrong = estimates
      .filter(({ atMs }) => atMs > (host.fromMs ?? 60_000))
      .map(({ atMs, leftMs }) => ({ atMs, leftMs: Math.round(leftMs), trueMs: endMs - atMs }))
      .filter(({ leftMs, trueMs }) => Math.abs(leftMs - trueMs) > Math.max(10_000, trueMs / 4));
    expect({ wrong: wrong.length, of: estimates.length, first: wrong[0], last: wrong.at(-1) }).toMatchObject({
      wrong: 0,
    });
    expect(left).toBeUndefined();
  });
});

it('nothing is said of cases of which nothing is known', () => {
  const timeLeft = createTimeLeft({ matrix: 'm', outDir: '/out', total: 2 });
  timeLeft.started('a', 0);
  expect(timeLeft.leftMs(1000)).toBeUndefined();
});
