import { cpSync, existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readResults } from '../../harness/run/records/read-results.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { netboot } from './netboot.ts';

const recorded = fileURLToPath(new URL('../../fixtures/report/run', import.meta.url));

let folder: string;
folderOfTest((made) => {
  folder = made;
  for (const name of ['old', 'new']) cpSync(recorded, join(folder, name), { recursive: true });
});

const report = (...argv: string[]) => netboot('report', ...argv);

describe('report', () => {
  it('makes the reports of each run again, beside its records', async () => {
    const runs = [join(folder, 'old'), join(folder, 'new')];
    const { code, out } = await report(...runs);
    expect({ code, lines: out.trim().split('\n') }).toEqual({
      code: 0,
      lines: runs.map((run) => join(run, 'report.html')),
    });
    for (const run of runs) {
      for (const name of ['report.html', 'results.json', 'junit.xml', 'summary.md', 'configurations.md'])
        expect({ name, exists: existsSync(join(run, name)) }).toEqual({ name, exists: true });
    }
    expect(readResults(runs[0]!)).toEqual(readResults(recorded));
    expect(readFileSync(join(runs[0]!, 'summary.md'), 'utf8')).toContain('7 cases: 4 passed, 2 failed, 1 not run');
  });

  it('refuses a run that was killed before its end, and says how to complete it', async () => {
    const run = join(folder, 'new');
    renameSync(join(run, 'results.json'), join(run, 'run.json'));
    expect(await report(run)).toMatchObject({
      code: 2,
      err: expect.stringContaining(`netboot run --resume ${run} completes it.`),
    });
  });

  it('asks for the runs of a folder one by one', async () => {
    expect(await report(folder)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/in more than one of these runs|expected the directory of one run/),
    });
  });

  it('compares with an earlier run', async () => {
    const { code } = await report(join(folder, 'new'), '--baseline', join(folder, 'old'));
    expect(code).toBe(0);
    expect(await report(join(folder, 'new'), '--baseline', join(folder, 'nowhere'))).toMatchObject({ code: 2 });
  });
});
