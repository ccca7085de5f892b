import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { bugReport } from '../documented.ts';
import { compile, compiled, openWorkplace } from './cli.ts';

beforeAll(compile, 120_000);

test('the bug report of the documentation runs as it stands, from a folder outside the checkout', async () => {
  using place = openWorkplace();
  const matrix = place.write('bug.json', bugReport());
  const main = join(compiled, 'cli/main.js');
  const run = await place.start(main, 'run', '--matrix', matrix, '--out', 'out', '--accel', 'tcg').finished;
  const { cases } = runResultSchema.parse(JSON.parse(readFileSync(join(place.folder, 'out/results.json'), 'utf8')));
  expect(cases.map(({ id, verdict }) => [id, verdict.status])).toEqual([
    ['no-43.x86_64.q35.ovmf.virtio-net-pci.none.snponly', 'passed'],
  ]);
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout).toContain('1 passed');
});
