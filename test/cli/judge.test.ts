import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { verdictOver } from '../../harness/judge/attempts.ts';
import type { Status } from '../../harness/model/verdict.ts';
import { recordedRun } from '../judge/recorded-run.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { netboot } from './netboot.ts';

const folder = folderOfFile();
const recorded = fileURLToPath(new URL('../../fixtures/runs/bios-ipxe-rom', import.meta.url));

/** A case's directory in a run: each attempt has the recorded boot, cut or without its token. */
function caseDirectory(id: string, ...attempts: ('whole' | 'without-token' | 'cut' | 'late')[]): string {
  const directory = join(folder, 'run', 'cases', id);
  for (const [index, kind] of attempts.entries()) {
    const to = index === 0 ? directory : join(directory, `attempt-${index + 1}`);
    mkdirSync(to, { recursive: true });
    cpSync(join(recorded, 'plan.json'), join(to, 'plan.json'));
    const { nonce } = recordedRun('bios-ipxe-rom').plan;
    const lines = readFileSync(join(recorded, 'events.jsonl'), 'utf8')
      .replaceAll(/"caseId":"[^"]*"/g, `"caseId":"${id}"`)
      .trim()
      .split('\n')
      .filter((line) => kind === 'whole' || !line.includes(`netboot-ok:${nonce}`));
    const kept = {
      ...{ whole: lines, 'without-token': lines, cut: lines.slice(0, -2) },
      late: lines.toSpliced(-1, 0, '{"tMs":9000,"source":"run","type":"late","who":"harness","lateMs":4000}'),
    }[kind];
    writeFileSync(join(to, 'events.jsonl'), `${kept.join('\n')}\n`);
  }
  return directory;
}

describe('netboot judge', () => {
  it.each([
    ['flaky', ['without-token', 'whole'], /attempts: failed, then passed/],
    ['failed', ['without-token', 'without-token'], /attempts: failed, then failed/],
    ['interrupted', ['without-token', 'cut'], /Interrupted before a second attempt could show/],
    [
      'error',
      ['without-token', 'late'],
      /could not show .* could not tell: for 4\.0 s.* The first attempt: Stopped at/,
    ],
    ['passed', ['whole'], /^passed/],
  ] as const)('says %s of a case as the run did, over its attempts', async (status, attempts, text) => {
    const directory = caseDirectory(`case-${status}`, ...attempts);
    const { out } = await netboot('judge', directory);
    expect(out).toMatch(text);
    const [judged] = JSON.parse((await netboot('judge', directory, '--json')).out);
    expect(judged).toMatchObject({ id: `case-${status}`, status, recorded: null });
    expect(judged.attempts).toHaveLength(attempts.length);
  });

  it('tells the repeats of a cell apart', async () => {
    rmSync(join(folder, 'run'), { recursive: true, force: true });
    for (const id of ['cell', 'cell~2', 'cell~3']) caseDirectory(id, 'whole');
    const { out } = await netboot('judge', join(folder, 'run'));
    expect(out.match(/cell\S*/g)).toEqual(['cell', 'cell~2', 'cell~3']);
  });

  it('says where it differs from what the run recorded', async () => {
    const directory = caseDirectory('other', 'without-token');
    cpSync(join(recorded, 'result.json'), join(directory, 'result.json'));
    const { out, code } = await netboot('judge', directory);
    expect(out).toContain('recorded as passed by the run');
    expect(code).toBe(1);
  });
});

it.each<[Status, Status | undefined, Status]>([
  ['passed', undefined, 'passed'],
  ['failed', undefined, 'failed'],
  ['failed', 'passed', 'flaky'],
  ['failed', 'failed', 'failed'],
  ['failed', 'error', 'error'],
  ['failed', 'interrupted', 'interrupted'],
  ['error', 'passed', 'error'],
])('a first attempt %s and a second %s make a case %s', (first, second, whole) => {
  const { verdict } = recordedRun('bios-ipxe-rom').result;
  const of = (status: Status) => ({ ...verdict, status });
  expect(verdictOver(of(first), second && of(second)).status).toBe(whole);
});
