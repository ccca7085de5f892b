import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { comparePairs } from '../../harness/compare/compare.ts';
import { joinAxis, joinRuns } from '../../harness/compare/join.ts';
import { axisText } from '../../harness/model/axis-text.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { stages } from '../../harness/model/stages.ts';
import type { CaseResult, RunResult } from '../../harness/model/verdict.ts';
import { comparisonLines, comparisonMarkdown } from '../../harness/report/comparison.ts';
import { readResults } from '../../harness/run/records/read-results.ts';
import { type SampleFields, sampleCase, sampleRun } from '../report/sample-run.ts';

const stored = readResults(fileURLToPath(new URL('../../fixtures/runs/default', import.meta.url)));
const compare = (before: RunResult, after: RunResult) => comparePairs(joinRuns(before, after));
const classesOf = (before: RunResult, after: RunResult) =>
  compare(before, after).changes.map(({ class: name, id }) => `${name} ${id}`);

const stops = (stoppedAt: CaseResult['verdict']['stoppedAt'], rule = 'ipxe-error', text = 'ipxe.org/4c126092') => ({
  stoppedAt,
  failure: { rule, atMs: 1, text },
});
const booted = { stoppedAt: null, failure: null } as const;

const named = (
  id: string,
  verdict: SampleFields['verdict'],
  scenario: Partial<Scenario> = {},
  run: SampleFields['run'] = {},
) => sampleCase({ id, scenario: { nic: id, ...scenario }, verdict: verdict ?? {}, run });
const one = (verdict: SampleFields['verdict'], scenario: Partial<Scenario> = {}) =>
  sampleRun([named('cell', verdict, scenario)]);

/** A small generator, so that a failing seed can be run again. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % below;
  };
}

describe('a run compared with itself', () => {
  it('differs in nothing, as the stored run of the default matrix does', () => {
    expect(compare(stored, stored)).toMatchObject({ joined: stored.cases.length, changes: [], common: {} });
  });

  it.each(Array.from({ length: 50 }, (_, seed) => seed))('whatever is in it (seed %i)', (seed) => {
    const below = numbers(seed + 1);
    const statuses = ['passed', 'failed', 'flaky', 'error', 'not-run', 'interrupted'] as const;
    const cases = Array.from({ length: below(30) }, () =>
      named(
        `nic${below(8)}`,
        {
          status: statuses[below(6)] ?? 'passed',
          stoppedAt: stages[below(20)] ?? null,
          failure: below(2) ? { rule: `rule${below(3)}`, atMs: below(9), text: `text ${below(4)}` } : null,
        },
        { group: `g${below(3)}` },
        { guestCpuMs: below(9_000), inputs: [{ role: 'nbp', path: 'x', bytes: 1, sha256: `${below(3)}` }] },
      ),
    ).map((found, index) => ({ ...found, id: `${found.id}~${index}` }));
    const run = sampleRun(cases);
    expect(compare(run, run).changes).toEqual([]);
  });
});

describe('a cell', () => {
  const before = one(booted);
  it.each([
    ['no-longer-boots', before, one(stops('config'))],
    ['boots-now', one(stops('config')), before],
    ['stops-earlier', one(stops('config')), one(stops('dhcp'))],
    ['gets-further', one(stops('dhcp')), one(stops('config'))],
    ['stops-elsewhere', one(stops('config')), one(stops('config', 'ipxe-error', 'ipxe.org/2e008081'))],
    ['stops-elsewhere', one(stops('config')), one(stops('config', 'kernel-panic'))],
    ['new', sampleRun([]), before],
    ['gone', before, sampleRun([])],
    ['not-comparable', before, one({ status: 'not-run', diagnosis: 'no such ROM' })],
    ['not-comparable', before, one({ status: 'flaky' })],
  ])('is %s by what the guest did', (name, old, now) => {
    expect(classesOf(old, now)).toEqual([`${name} cell`]);
  });

  it('is what it is, not what is expected of it or what it is called', () => {
    const expectation = { stopsAt: 'dhcp' as const, failure: [{ rule: 'seabios-no-boot' as const }], reason: 'none' };
    const renamed = sampleRun([named('cell', booted, { group: 'other', title: 'x', expect: expectation })]);
    expect(classesOf(before, { ...renamed, cases: renamed.cases.map((c) => ({ ...c, id: 'renamed' })) })).toEqual([]);
  });

  it('says the same on the console when a line was read before it was whole, at another time and place', () => {
    const texts = ['No bootable device', 'No bootable device.'].map((text) =>
      one(stops('dhcp', 'seabios-no-boot', text)),
    );
    expect(classesOf(texts[0] as RunResult, texts[1] as RunResult)).toEqual([]);
    const moved = ['[    2.49] Kernel panic at 0xffff8000aa', '[   12.01] Kernel panic at 0xffff8000bb'];
    const [a, b] = moved.map((text) => one(stops('userspace', 'kernel-panic', text))) as [RunResult, RunResult];
    expect(classesOf(a, b)).toEqual([]);
  });

  it('stops at the same deadline on a busy host', () => {
    const clocks = [
      '',
      ' in which the guest could run (12 s by the clock)',
      ' in which the guest could run (14 s by the clock)',
    ];
    const [quiet, busy, busier] = clocks.map((clock) =>
      one(stops('nbp', 'deadline', `no nbp stage within 8 s${clock}, with the guest at work all the while`)),
    ) as [RunResult, RunResult, RunResult];
    expect(classesOf(busy, busier)).toEqual([]);
    expect(classesOf(quiet, busy)).toEqual([]);
  });

  it('is the same whether a template may start it or not', () => {
    expect(classesOf(before, sampleRun([named('cell', booted, { cold: true })]))).toEqual([]);
  });

  const times = (...ms: number[]) =>
    sampleRun(
      ms.map((guestCpuMs, round) => ({
        ...named('cell', booted, {}, { guestCpuMs }),
        id: `cell~${round}`,
        round: round + 1,
      })),
    );

  it('is slower or faster only beyond what its repeats show', () => {
    expect(classesOf(times(1000, 1100, 1050), times(3300, 3100, 3500))).toEqual(['slower cell']);
    expect(classesOf(times(3300, 3100, 3500), times(1000, 1100, 1050))).toEqual(['faster cell']);
    expect(classesOf(times(1000, 4000, 1050), times(3900, 3500, 3400))).toEqual([]);
    expect(classesOf(times(10, 11, 10), times(80, 85, 81))).toEqual([]);
    expect(classesOf(times(1000), times(9000))).toEqual([]);
    expect(compare(times(1000), times(9000)).notes).toEqual([expect.stringContaining('--repeat 3')]);
  });

  const byLoad: Record<string, Record<string, number[]>> = JSON.parse(
    readFileSync(new URL('../../fixtures/runs/guest-cpu-by-load.json', import.meta.url), 'utf8'),
  );

  it.each(Object.entries(byLoad))('is neither on a busy host: %s', (_, runs) => {
    const pairs = Object.values(runs).flatMap((before, index, all) =>
      all.slice(index + 1).map((after) => [before, after]),
    );
    expect(pairs).toHaveLength(15);
    for (const [before, after] of pairs as [number[], number[]][])
      expect(compare(times(...before), times(...after))).toMatchObject({ changes: [], notes: [] });
  });

  it('counts what a template saved its guest', () => {
    const [cold, warm] = [times(3000, 3000, 3000), times(900, 900, 900)];
    const saved = warm.cases.map((one) => ({ ...one, run: { ...one.run, savedCpuMs: 2100 } }));
    expect(classesOf(cold, warm)).toEqual(['faster cell']);
    expect(classesOf(cold, { ...warm, cases: saved })).toEqual([]);
  });

  it('of another build has other inputs, each named once', () => {
    const built = (version: string) =>
      sampleRun([
        named(
          'cell',
          booted,
          {},
          { inputs: [{ role: 'nbp', path: '/x', bytes: 1, sha256: version, package: { name: 'ipxe', version } }] },
        ),
      ]);
    const comparison = compare(built('1.0'), built('2.0'));
    expect(comparison.changes).toMatchObject([
      { class: 'inputs-differ', inputs: [{ before: 'ipxe 1.0', after: 'ipxe 2.0' }] },
    ]);
    expect(comparisonLines(comparison).join('\n')).toContain('1 × nbp: ipxe 1.0 → ipxe 2.0');
  });
});

it('says what the changed cells have in common and no other has', () => {
  const run = (broken: boolean) =>
    sampleRun(
      ['e1000', 'pcnet', 'rtl8139'].flatMap((nic) =>
        (['x86_64', 'aarch64'] as const).map((arch) =>
          named(nic, broken && arch === 'aarch64' ? stops('dhcp') : booted, { arch }),
        ),
      ),
    );
  const comparison = compare(run(false), run(true));
  expect(comparison.common).toEqual({ 'no-longer-boots': { facts: ['arch aarch64'], others: 0 } });
  expect(comparisonLines(comparison)).toContain('  all 3, and no other cell, have arch aarch64');
  expect(comparisonMarkdown(comparison)).toContain('**all 3, and no other cell, have arch aarch64.**');
});

it('joins cells of one run that differ in one axis alone', () => {
  const run = sampleRun([
    named('e1000', booted, { set: 'bookworm' }),
    named('e1000', stops('dhcp'), { set: 'forky' }),
    named('pcnet', booted, { set: 'bookworm' }),
  ]);
  const { changes, joined } = comparePairs(joinAxis(run, 'set', ['bookworm', 'forky'], axisText));
  expect(joined).toBe(1);
  expect(changes.map(({ class: name }) => name)).toEqual(['no-longer-boots']);
});
