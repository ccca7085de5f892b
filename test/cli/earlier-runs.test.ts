import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
// Loading it for the first time takes longer than a test may.
import '../../harness/cli/commands/bisect.ts';
import '../../harness/cli/commands/bisect-step.ts';
import '../../harness/cli/commands/run.ts';
import '../../harness/cli/commands/watch.ts';
import { sampleCase, sampleRun } from '../report/sample-run.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { netboot } from './netboot.ts';

const folder = folderOfFile();

function write(name: string, files: Record<string, string>): string {
  const directory = join(folder, name);
  mkdirSync(directory, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
  return directory;
}

const group = { name: 'g', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'none' };
const matrix = join(write('matrix', { 'm.json': JSON.stringify({ name: 'm', groups: [group] }) }), 'm.json');

/** A whole run of other cells: its record, and its results. */
const stranger = sampleCase({ id: 'z', scenario: { nic: 'pcnet' } });
const other = write('other', {
  'run.json': JSON.stringify({
    ...{ version: 1, matrix: 'other', startedAt: '2026-11-26T00:00:00.000Z', cells: [stranger.scenario], repeat: 1 },
  }),
  'results.json': JSON.stringify(sampleRun([stranger])),
});
const own = write('own', { 'results.json': JSON.stringify(sampleRun([sampleCase({ id: 'a' })])) });
const torn = write('torn', { 'run.json': '{"version":1,', 'results.json': '{"version":1,' });
const killed = write('killed', { 'run.json': '{}' });
const none = join(folder, 'none');

/** Each command that takes an earlier run, up to where its name goes. */
const run = (option: string) => ['run', '--matrix', matrix, '--accel', 'tcg', '--out', join(folder, 'out'), option];

it.each([
  ['--baseline nothing', [...run('--baseline'), none], /there is no such file or directory/],
  ['--baseline torn', [...run('--baseline'), torn], /it is not JSON, or is truncated/],
  ['--baseline killed', [...run('--baseline'), killed], /killed before its end.*\n.*--resume/s],
  ['--baseline of another matrix', [...run('--baseline'), other], /none of the chosen cases is in that run/],
  ['--failed nothing', [...run('--failed'), none], /there is no such file or directory/],
  ['--failed torn', [...run('--failed'), torn], /it is not JSON, or is truncated/],
  ['--failed of another matrix', [...run('--failed'), other], /all of its cases were as expected/],
  ['--reuse nothing', [...run('--reuse'), none], /run\.json: there is no such file/],
  ['--reuse torn', [...run('--reuse'), torn], /run\.json: it is not JSON/],
  ['--reuse of another matrix', [...run('--reuse'), other], /none of the chosen cases is in that run/],
  ['report --baseline torn', ['report', other, '--baseline', torn], /it is not JSON, or is truncated/],
  ['report --baseline of another matrix', ['report', own, '--baseline', other], /no case of .*own is in .*other/],
])('refuses %s before anything boots', async (_, argv, message) => {
  const { err, code } = await netboot(...argv);
  expect(err).toMatch(message);
  expect(code).toBe(2);
});

it.each([
  ['nothing', none, /there is no such file or directory/],
  ['a torn run', torn, /it is not JSON, or is truncated/],
])('stops a bisection whose baseline is %s', async (_, baseline, message) => {
  const { err, code } = await netboot('bisect-step', 'g', '--matrix', matrix, '--baseline', baseline);
  expect(err).toMatch(message);
  expect(code).toBe(128);
});

it('takes no link to nowhere for a build', async () => {
  const builds = write('builds', {});
  mkdirSync(join(builds, '1'));
  symlinkSync(join(builds, 'gone'), join(builds, '2'));
  const { err, code } = await netboot('bisect', 'g', '--matrix', matrix, '--sets', join(builds, '*'));
  expect(err).toContain('expected two folders or more, saw 1');
  expect(code).toBe(2);
});

const build = write('build', { 'set.json': JSON.stringify({ name: 'build', extends: 'host' }) });
const watch = (...argv: string[]) => [
  'watch',
  '--matrix',
  matrix,
  '--accel',
  'tcg',
  '--out',
  join(folder, 'out'),
  ...argv,
];

it.each([
  ['no folder', watch(), /expected a folder to watch, saw none/],
  ['a set that is no folder of its own', watch('--set', 'host'), /expected a folder/],
  ['a folder that is not there', watch('--set', none), /expected a folder or a known set, saw neither/],
  ['a set without a usable manifest', watch('--set', torn), /torn: no set\.json, and no usable file/],
  ['no such case', watch('--set', build, 'h.*'), /no case matches "h\.\*"/],
  ['a matrix that is not there', watch('--set', build, '--matrix', none), /none: .*no such file/],
  ['no such axis value', watch('--set', build, '--nic', 'e1001'), /e1001/],
])('refuses to watch with %s, and makes no folder', async (_, argv, message) => {
  const { err, code } = await netboot(...argv);
  expect(err).toMatch(message);
  expect(code).toBe(2);
  expect(existsSync(join(folder, 'out'))).toBe(false);
});

it.each([
  ['nothing', [none, other], /none: there is no such file or directory/],
  ['results without records', [other, other], /it holds neither plan\.json nor cases/],
])('refuses to blame with %s', async (_, [good, bad], message) => {
  const { err, code } = await netboot('blame', 'g', '--good', `${good}`, '--bad', `${bad}`);
  expect(err).toMatch(message);
  expect(code).toBe(2);
});
