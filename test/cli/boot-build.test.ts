import { describe, expect, it } from 'vitest';
import { judgeAgainst, judgeByExpectation } from '../../harness/cli/boot-build.ts';
import type { Verdict } from '../../harness/model/verdict.ts';
import { sampleCase, sampleRun } from '../report/sample-run.ts';

const verdicts = {
  boots: { status: 'passed' },
  stops: { status: 'failed', stoppedAt: 'dhcp', failure: { rule: 'ipxe-error', atMs: 1, text: 'no' }, diagnosis: 'no' },
  varies: { status: 'flaky' },
  untold: { status: 'error', diagnosis: 'disk full' },
} satisfies Record<string, Partial<Verdict>>;
type Did = keyof typeof verdicts;

const run = (...dids: Did[]) =>
  sampleRun(
    dids.map((did, nth) => sampleCase({ id: `c${nth}`, scenario: { memoryMiB: 512 + nth }, verdict: verdicts[did] })),
  );

describe('a build', () => {
  it.each<[Did[], string, string[]]>([
    [['boots', 'boots'], 'good', []],
    [['boots', 'stops'], 'bad', ['c1: failed: no']],
    [['varies', 'stops'], 'bad', ['c0: flaky', 'c1: failed: no']],
    [['boots', 'varies'], 'unknown', ['c1: flaky']],
    [['untold', 'boots'], 'unknown', ['c0: error: disk full']],
  ])('whose cells %j is %s by what is expected', (dids, state, why) => {
    expect(judgeByExpectation(run(...dids))).toEqual({ state, why });
  });

  it.each<[Did[], Did[], string, string[]]>([
    [['boots', 'stops'], ['boots', 'stops'], 'good', []],
    [['stops'], ['boots'], 'good', []],
    [['boots'], ['stops'], 'bad', ['c0: boots → stops at dhcp (ipxe-error: no)']],
    [
      ['boots', 'boots'],
      ['stops', 'untold'],
      'bad',
      ['c0: boots → stops at dhcp (ipxe-error: no)', 'c1: unknown: disk full'],
    ],
    [['boots'], ['varies'], 'unknown', ['c0: varies']],
    [['boots'], ['boots', 'boots'], 'unknown', ['c1: not in the baseline']],
    [['boots', 'boots'], ['boots'], 'good', []],
  ])('whose cells did %j and now do %j is %s', (before, after, state, why) => {
    expect(judgeAgainst(run(...before), run(...after))).toEqual({ state, why });
  });
});
