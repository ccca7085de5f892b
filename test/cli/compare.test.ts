import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../harness/model/verdict.ts';
import { sampleCase, sampleRun } from '../report/sample-run.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { netboot } from './netboot.ts';

const folder = folderOfFile();

function store(name: string, run: RunResult): string {
  const directory = join(folder, name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'results.json'), JSON.stringify(run));
  return directory;
}

const booted = sampleCase({ id: 'a', scenario: { nic: 'e1000' } });
const stopped = sampleCase({
  id: 'a',
  scenario: { nic: 'e1000' },
  verdict: {
    status: 'failed',
    stoppedAt: 'dhcp',
    failure: { rule: 'seabios-no-boot', atMs: 1, text: 'No bootable device.' },
  },
});
const old = store('old', sampleRun([booted]));
const broken = store('broken', sampleRun([stopped]));

describe('netboot compare', () => {
  it('exits with 1 when a cell boots no longer, and says so', async () => {
    const { out, code } = await netboot('compare', old, broken);
    expect(out).toContain('no-longer-boots (booted before, stops now): 1\n  a\n    boots → stops at dhcp');
    expect(out).toContain('1 cells compared: 1 no-longer-boots');
    expect(code).toBe(1);
  });

  it('exits with 0 when nothing broke, or for classes that --fail-on leaves out', async () => {
    expect((await netboot('compare', broken, old)).code).toBe(0);
    expect((await netboot('compare', broken, old, '--fail-on', 'boots-now')).code).toBe(1);
    expect((await netboot('compare', old, broken, '--fail-on', 'none')).code).toBe(0);
    expect((await netboot('compare', old, old)).code).toBe(0);
  });

  it('takes a results.json, and a folder of shards for one run', async () => {
    const shards = join(folder, 'shards');
    store('shards/1', sampleRun([booted]));
    store('shards/2', sampleRun([sampleCase({ id: 'b', scenario: { nic: 'pcnet' } })]));
    const { out } = await netboot('compare', shards, join(old, 'results.json'), '--json');
    expect(JSON.parse(out).changes).toMatchObject([{ class: 'gone', id: 'b' }]);
  });

  it('prints Markdown', async () => {
    const { out } = await netboot('compare', old, broken, '--markdown');
    expect(out).toContain('| `a` | boots → stops at dhcp (seabios-no-boot: No bootable device.) |');
  });

  const torn = join(folder, 'torn');
  const killed = join(folder, 'killed');
  const strange = join(folder, 'strange');
  it.each([
    ['nothing', [join(folder, 'none'), old], /there is no such file or directory/],
    ['a folder of something else', [join(folder, 'empty'), old], /it holds no results.json/],
    ['a torn file', [torn, old], /it is not JSON, or is truncated/],
    ['results of something else', [strange, old], /unexpected content: version: expected 1, saw 7/],
    ['a run that was killed', [killed, old], /killed before its end.*\n.*--resume/s],
    [
      'another matrix',
      [store('other', sampleRun([sampleCase({ id: 'z', scenario: { nic: 'z' } })])), old],
      /no cell in common/,
    ],
    ['one run alone', [old], /expected two runs, or one run and --axis/],
    ['a class that is none', [old, old, '--fail-on', 'worse'], /unknown class of changes "worse"/],
    ['an axis that is none', [old, '--axis', 'colour=a..b'], /expected AXIS=VALUE\.\.VALUE.*saw "colour=a\.\.b"/],
    ['an axis without such cells', [old, '--axis', 'nic=e1000..x'], /no two cells differ only in nic.*\n.*e1000/s],
  ])('refuses %s', async (_, argv, message) => {
    for (const one of [torn, killed, strange, join(folder, 'empty')]) mkdirSync(one, { recursive: true });
    writeFileSync(join(torn, 'results.json'), '{"version":1,');
    writeFileSync(join(killed, 'run.json'), '{}');
    writeFileSync(join(strange, 'results.json'), '{"version":7}');
    const { err, code } = await netboot('compare', ...argv);
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});
