import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { checkout, compile, compiled, openWorkplace } from './cli.ts';

beforeAll(compile, 300_000);

const face = JSON.stringify(join(compiled, 'vitest/index.js'));
const cacheDir = JSON.stringify(join(checkout, '.cache'));

const suite = `
import { expect, test } from 'vitest';
import { bootCase, describeMatrix } from ${face};

const options = { accel: 'tcg', cacheDir: ${cacheDir} };
const bios = { arch: 'x86_64', firmware: 'seabios', machine: 'pc', nic: 'e1000', secondStage: 'none' };

describeMatrix(
  {
    name: 'ours',
    groups: [
      { ...bios, name: 'boots', rom: 'bundled' },
      { ...bios, name: 'stops', rom: 'none', secondStage: 'undionly' },
      { ...bios, name: 'lacks', rom: 'bundled', set: 'no-such-set' },
      { ...bios, name: 'left-out', rom: 'bundled', machine: 'q35' },
    ],
  },
  { ...options, out: 'ours', cases: ['boots', 'stops', 'lacks'] },
);

test('by hand', { timeout: 0 }, async () => {
  const boot = await bootCase({ ...bios, rom: 'bundled' }, { ...options, out: 'by-hand' });
  expect(boot).toReach('config');
  expect(boot).toHaveObservedConfiguration(2);
  expect(boot).toHaveFetched('boot.ipxe');
});
`;

interface Task {
  title: string;
  status: string;
  failureMessages: string[];
}

it('a matrix in a test file is a test for each cell, and a scenario a result', async () => {
  using place = openWorkplace();
  symlinkSync(join(checkout, 'node_modules'), join(place.folder, 'node_modules'));
  place.write('boots.test.mjs', suite);
  place.write('vitest.config.mjs', 'export default {};');
  const vitest = join(checkout, 'node_modules/vitest/vitest.mjs');
  const run = place.start(vitest, 'run', '--root', place.folder, '--reporter', 'json');
  const { stdout } = await run.finished;
  const { testResults } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    testResults: { assertionResults: Task[] }[];
  };
  const tasks = testResults.flatMap(({ assertionResults }) => assertionResults);
  const found = (name: string) => tasks.find(({ title }) => title.startsWith(name));
  expect(tasks.map(({ title, status }) => [title.split('.')[0], status])).toEqual([
    ['boots', 'passed'],
    ['stops', 'failed'],
    ['lacks', 'skipped'],
    ['by hand', 'passed'],
  ]);
  expect(found('stops')?.failureMessages.join()).toMatch(
    /failed\. Stopped at dhcp[\s\S]*records: .*\/ours\/cases\/stops\./,
  );
  expect(place.survivors()).toEqual([]);
});
