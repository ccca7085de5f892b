import { expect, it } from 'vitest';
import { reachOf } from '../../harness/model/reach.ts';
import { type Scenario, scenarioSchema } from '../../harness/model/scenario.ts';
import { withFilesAt } from '../../harness/model/with-files-at.ts';

const file = (name: string) => ({ file: `/theirs/${name}` });
const scenario = scenarioSchema.parse({
  ...{ id: 'c', group: 'g', arch: 'x86_64', machine: 'q35', set: 'host', nic: 'e1000', transport: 'tftp' },
  ...{ payload: 'linux', secureBoot: 'off', ipVersion: 4, expect: { reaches: 'last' } },
  firmware: { code: '/theirs/code.fd', vars: '/theirs/vars.fd' },
  rom: file('rom'),
  secondStage: file('nbp'),
  kernel: file('kernel'),
  initrd: file('initrd'),
  serve: { a: { path: '/theirs/a' }, text: { text: '/theirs/text' } },
  boots: [
    { name: 'one', secondStage: file('other'), serve: { b: { path: '/theirs/b' } } },
    { name: 'two', payload: 'disk' },
  ],
  provisioner: [
    { command: ['dnsmasq'], files: { 'a.conf': { path: '/theirs/a.conf' }, 'b.conf': { text: '' } }, serves: ['dhcp'] },
    { command: ['nginx'], files: { 'c.conf': { path: '/theirs/c.conf' } }, serves: ['http'] },
  ],
});

const pathsIn = (cell: Scenario) => reachOf(cell).flatMap(({ value, isPath }) => (isPath ? [value] : []));

it('every file that a scenario names can be put at another place', () => {
  const paths = pathsIn(scenario);
  expect(new Set(paths).size).toBeGreaterThan(10);
  const moved = withFilesAt(scenario, (path) => path.replace('/theirs/', '/ours/'));
  expect(pathsIn(moved)).toEqual(paths.map((path) => path.replace('/theirs/', '/ours/')));
  expect(withFilesAt(scenario, (path) => path)).toEqual(scenario);
});
