import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CaseResult, RunResult } from '../../harness/model/verdict.ts';
import { readResults } from '../../harness/run/records/read-results.ts';
import { sampleRun } from '../report/sample-run.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { netboot, netbootWith } from './netboot.ts';

const recorded = fileURLToPath(new URL('../../fixtures/report/run', import.meta.url));
const whole = readResults(recorded);

let folder: string;
folderOfTest((made) => {
  folder = made;
});

interface PartFields {
  cases: readonly CaseResult[];
  record?: object;
  result?: Partial<RunResult>;
}

/** A run's directory with these cases of the recorded run. */
function part(name: string, { cases, record = {}, result = {} }: PartFields): string {
  const directory = join(folder, name);
  mkdirSync(join(directory, 'cases'), { recursive: true });
  const { matrix, startedAt, host } = whole;
  const results = { ...sampleRun([...cases]), matrix, startedAt, host, wallMs: 0, guestCpuMs: 0, harnessCpuMs: 0 };
  writeFileSync(join(directory, 'results.json'), JSON.stringify({ ...results, ...result }));
  writeFileSync(
    join(directory, 'run.json'),
    JSON.stringify({
      version: 1,
      matrix,
      startedAt,
      cells: cases.filter(({ round }) => round === 1).map(({ scenario }) => scenario),
      repeat: 1,
      code: 'c0de',
      ...record,
    }),
  );
  for (const { run } of cases) {
    if (run.directory === null) continue;
    cpSync(join(recorded, run.directory), join(directory, run.directory), { recursive: true });
  }
  return directory;
}

/** Every other case of the recorded run. */
function shard(index: number, count: number, fields: Partial<PartFields> = {}): string {
  const places = whole.cases.flatMap((_, place) => (place % count === index - 1 ? [place] : []));
  const cases = places.map((place) => whole.cases[place] as CaseResult);
  const { wallMs, guestCpuMs, harnessCpuMs } = whole;
  const cost = index === 1 ? { wallMs, guestCpuMs, harnessCpuMs } : {};
  return part(`shards/${index}`, { cases, record: { shard: { index, count, places } }, result: cost, ...fields });
}

const merge = (...argv: string[]) => netboot('merge', ...argv, '--out', join(folder, 'out'));
const refused = (what: RegExp) => ({ code: 2, err: expect.stringMatching(what) });
const nothingLeft = () => expect(readdirSync(folder).filter((name) => name.startsWith('out'))).toEqual([]);

describe('merge', () => {
  it('makes of shards what the unsharded run would have left, whatever their order', async () => {
    for (const index of [3, 1, 2]) shard(index, 3);
    const { code, out } = await merge(join(folder, 'shards'));
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('7 cases: 4 passed, 2 failed, 1 not run') });
    const merged = join(folder, 'out');
    expect(readResults(merged)).toEqual(whole);
    const unsharded = part('whole', { cases: whole.cases, result: whole });
    await netboot('report', unsharded);
    for (const name of ['summary.md', 'junit.xml', 'configurations.md']) {
      const text = (directory: string) => readFileSync(join(directory, name), 'utf8').replaceAll(directory, 'RUN');
      expect(text(merged)).toBe(text(unsharded));
    }
    expect(existsSync(join(merged, 'report.html'))).toBe(true);
  });

  it('passes the merged run to the reporters of a run: GitLab, KTAP, annotations and the job summary', async () => {
    for (const index of [1, 2]) shard(index, 2);
    const stepSummary = join(folder, 'step-summary');
    const env = { ...process.env, GITHUB_STEP_SUMMARY: stepSummary };
    const argv = ['--reporter', 'gitlab', '--reporter', 'tap', '--out', join(folder, 'out')];
    const { code, out, err } = await netbootWith(env, 'merge', join(folder, 'shards'), ...argv);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('7 cases: 4 passed') });
    expect(out).toMatch(/^KTAP version 1\n1\.\.7\nok 1 /);
    expect(readFileSync(stepSummary, 'utf8').trim()).toBe(readFileSync(join(folder, 'out/summary.md'), 'utf8').trim());
    const quality = JSON.parse(readFileSync(join(folder, 'out/gl-code-quality-report.json'), 'utf8'));
    expect(quality).toHaveLength(2);

    rmSync(join(folder, 'out'), { recursive: true });
    const annotated = await merge(join(folder, 'shards'), '--reporter', 'github');
    expect(annotated.out.match(/^::error /gm)).toHaveLength(2);
    expect(annotated.out.match(/^::group::/gm)).toHaveLength(2);
  });

  it('compares the sets that the shards ran on, as the unsharded run would have', async () => {
    const [one] = whole.cases as [CaseResult];
    const on = (set: string, stoppedAt: CaseResult['verdict']['stoppedAt']): CaseResult => {
      const id = `${set}.cell`;
      const run = { ...one.run, directory: null, attempts: [] };
      return { ...one, id, scenario: { ...one.scenario, id, set }, verdict: { ...one.verdict, stoppedAt }, run };
    };
    const sets = ['old', 'new'];
    part('shards/1', { cases: [on('old', null)], record: { sets, shard: { index: 1, count: 2, places: [0] } } });
    part('shards/2', { cases: [on('new', 'dhcp')], record: { sets, shard: { index: 2, count: 2, places: [1] } } });
    const { out } = await merge(join(folder, 'shards'));
    expect(out).toContain('no-longer-boots (booted before, stops now): 1');
    expect(readFileSync(join(folder, 'out/summary.md'), 'utf8')).toContain('no-longer-boots');
  });

  it('leaves records that judge and report understand', async () => {
    for (const index of [1, 2]) shard(index, 2);
    await merge(join(folder, 'shards', '1'), join(folder, 'shards', '2'));
    const merged = join(folder, 'out');
    const judged = JSON.parse((await netboot('judge', merged, '--json')).out) as { id: string; status: string }[];
    const was = whole.cases.filter(({ run }) => run.directory !== null);
    expect(judged.map(({ id, status }) => `${id} ${status}`).sort()).toEqual(
      was.map(({ id, verdict }) => `${id} ${verdict.status}`).sort(),
    );
    expect(await netboot('report', merged)).toMatchObject({ code: 0 });
  });

  it('takes the case that came to a verdict, and refuses two verdicts of one case', async () => {
    const [first, second] = whole.cases as [CaseResult, CaseResult];
    const interrupted = { ...first, verdict: { ...first.verdict, status: 'interrupted' as const } };
    const begun = part('begun', { cases: [second, interrupted] });
    const again = part('again', { cases: [first] });
    expect(await merge(begun, again)).toMatchObject({ code: 0 });
    expect(readResults(join(folder, 'out')).cases).toEqual([second, first]);
    rmSync(join(folder, 'out'), { recursive: true });

    const failed = { ...first, verdict: { ...first.verdict, status: 'failed' as const } };
    const rerun = part('rerun', { cases: [failed] });
    expect(await merge(again, rerun)).toMatchObject(refused(/is in more than one of these runs/));
    nothingLeft();
  });

  it.each([
    ['another matrix', { matrix: 'other' }, /the matrix is .* in .*shards\/1, and other in .*shards\/2/],
    ['another version', { code: 'beef' }, /the version of the harness .* is c0de .* and beef/],
    ['another number of repeats', { repeat: 2 }, /do not agree about|the number of repeats/],
    ['shards of another division', { shard: { index: 2, count: 3, places: [1, 3, 5] } }, /shards of 2 and of 3/],
    ['another selection', { shard: { index: 2, count: 2, places: [1, 3, 4] } }, /a part of another selection/],
  ])('refuses %s', async (_, record, message) => {
    const one = shard(1, 2);
    const places = [1, 3, 5];
    const cases = places.map((place) => whole.cases[place] as CaseResult);
    const other = part('shards/2', { cases, record: { shard: { index: 2, count: 2, places }, ...record } });
    expect(await merge(one, other)).toMatchObject(refused(message));
    nothingLeft();
  });

  it('says which shard is missing, in the reports too, and does not pass', async () => {
    const passed = whole.cases.filter(({ verdict }) => verdict.status === 'passed');
    const places = passed.map((_, place) => place);
    const only = part('only', { cases: passed, record: { shard: { index: 2, count: 3, places } } });
    const { code, out } = await merge(only);
    expect({ code, out }).toEqual({
      code: 3,
      out: expect.stringMatching(/shard 1\/3 is missing.*shard 3\/3 is missing/s),
    });
    expect(readFileSync(join(folder, 'out', 'summary.md'), 'utf8')).toContain('shard 1/3 is missing');
  });

  it.each([
    ['records that are gone', (directory: string) => rmSync(join(directory, 'cases'), { recursive: true }), /missing/],
    [
      'results that lack a case',
      (directory: string) => writeFileSync(join(directory, 'results.json'), JSON.stringify({ ...whole, cases: [] })),
      /do not agree/,
    ],
    ['a run that was killed', (directory: string) => rmSync(join(directory, 'results.json')), /--resume/],
  ])('refuses %s, and leaves nothing', async (_, spoil, message) => {
    const directory = part('one', { cases: whole.cases });
    spoil(directory);
    expect(await merge(directory)).toMatchObject(refused(message));
    nothingLeft();
  });

  it('writes into no folder that holds something', async () => {
    const directory = part('one', { cases: whole.cases });
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out', 'precious'), 'x');
    expect(await merge(directory)).toMatchObject(refused(/it is not empty/));
    expect(readdirSync(join(folder, 'out'))).toEqual(['precious']);
  });
});
