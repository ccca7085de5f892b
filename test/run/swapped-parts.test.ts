import { describe, expect, it } from 'vitest';
import type { Input } from '../../harness/model/plan.ts';
import type { Resolved } from '../../harness/model/resolved.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { transportsOf } from '../../harness/model/transports.ts';
import { differingParts, withParts } from '../../harness/run/again/swapped-parts.ts';
import { resolved, scenario } from '../plan/found-scenario.ts';

const located = (cell: Partial<Scenario>, found: Partial<Resolved>) => ({
  scenario: scenario(cell),
  resolved: { ...resolved(found), loader: 'shim-grub' as const, transports: transportsOf('tftp') },
});
const input = (role: Input['role'], sha256: string): Input => ({ role, path: `/${role}`, sha256, bytes: 1 });

const command = ['dnsmasq', '--conf-file={{dir}}/a.conf'];
/** A server of the user's with this configuration and these arguments. */
const served = (text: string, ...more: string[]) =>
  located(
    { provisioner: { command: [...command, ...more], files: { 'a.conf': { path: '/a.conf' } }, serves: ['dhcp'] } },
    {
      provisioner: {
        programs: [{ path: '/dnsmasq', env: {}, files: { 'a.conf': { text } } }],
        packetPrograms: undefined,
      },
      inputs: [input('provisioner', text)],
    },
  );
const inspections = { of: async () => ({ type: 'unknown', bytes: 0, guess: null }) as const };

describe('two cases that differ in a server of the user’s', () => {
  it.each([
    ['the content of its files', served('new')],
    ['its arguments', served('old', '--log-dhcp')],
  ])('differ in that part, by %s, and exchange it whole', async (_, bad) => {
    const good = served('old');
    const parts = differingParts(good, bad);
    expect(parts.map(({ name }) => name)).toEqual(['provisioner']);
    const mixed = await withParts('mixed', { into: good, from: bad, parts }, inspections);
    expect(mixed.scenario).toEqual({ ...bad.scenario, id: 'mixed' });
    expect(mixed.resolved).toEqual(bad.resolved);
  });
});

it('a SAN disk comes with its target', async () => {
  const bare = located({}, {});
  const san = { disk: { path: '/disk', bytes: 1 }, nonce: { offsets: [0], bytes: 8 }, programRoot: '/tgt' };
  const hooked = located({ sanHook: true }, { san, inputs: [input('disk', 'aa')] });
  const parts = differingParts(bare, hooked);
  expect(parts.map(({ name }) => name)).toEqual(['disk']);
  const mixed = await withParts('mixed', { into: bare, from: hooked, parts }, inspections);
  expect([mixed.scenario.sanHook, mixed.resolved.san]).toEqual([true, san]);
});
