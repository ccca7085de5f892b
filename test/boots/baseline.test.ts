import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { compile, compiled, openWorkplace } from './cli.ts';

beforeAll(compile, 120_000);

/** SeaBIOS and a NIC without a ROM: it stops at once, which this matrix does not expect. */
const matrix = { name: 'm', groups: [{ name: 'g', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'none' }] };

it('a run with a baseline is judged by what changed, not by what was expected', async () => {
  using place = openWorkplace();
  const file = place.write('m.json', matrix);
  const at = (name: string) => join(place.folder, name);
  const run = (out: string, ...more: string[]) =>
    place.start(join(compiled, 'cli/main.js'), 'run', '--matrix', file, '--accel', 'tcg', '--out', out, ...more)
      .finished;

  expect(await run('first')).toMatchObject({ exitCode: 1 });
  const same = await run('same', '--baseline', 'first', '--failed', 'first');
  expect(same.stdout).toContain('1 cells compared: no difference');
  expect(same.exitCode).toBe(0);

  // As if it had booted before.
  const results = runResultSchema.parse(JSON.parse(readFileSync(at('first/results.json'), 'utf8')));
  const booted = results.cases.map((one) => ({ ...one, verdict: { ...one.verdict, stoppedAt: null, failure: null } }));
  mkdirSync(at('booted'));
  writeFileSync(at('booted/results.json'), JSON.stringify({ ...results, cases: booted }));
  const broken = await run('broken', '--baseline', 'booted');
  expect(broken.stdout).toContain('no-longer-boots (booted before, stops now): 1');
  expect(readFileSync(at('broken/summary.md'), 'utf8')).toContain('## What changed');
  expect(broken.exitCode).toBe(1);
});
