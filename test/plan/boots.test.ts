import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../harness/model/scenario.ts';
import { disk, nonce, planOf, resolved, scenario } from './found-scenario.ts';

const planWith = (over: Partial<Scenario>) => planOf(scenario({ secondStage: 'ipxe', ...over }), resolved({ disk }));
const drives = (argv: readonly string[]) => argv.filter((_, at) => argv[at - 1] === '-drive');

describe('a machine with a disk', () => {
  const plan = planWith({ payload: 'disk' });

  it('boots from it after the NIC, from a copy that prints the nonce', () => {
    expect(plan.machineFiles).toEqual({ 'disk.img': { path: '/disk', patch: [{ offset: 512, ascii: `${nonce}\0` }] } });
    expect(plan.qemu.argv).toContainEqual(expect.stringMatching(/^virtio-net-pci,.*bootindex=0/));
    expect(plan.qemu.argv).toContain('virtio-blk-pci,drive=disk,bootindex=1');
    expect(plan.stagePath).toEqual(['firmware', 'dhcp', 'nbp-fetch', 'nbp', 'nbp-dhcp', 'config', 'disk']);
  });

  it('is given back by the network with a failure, so that EDK II tries the next boot option', () => {
    expect(plan.serve['boot.ipxe']).toEqual({ text: '#!ipxe\nexit 1\n' });
    expect(JSON.stringify(plan.serve)).not.toContain(nonce);
  });

  it('throws its variables away', () => {
    expect(drives(plan.qemu.argv)).toContainEqual(expect.stringMatching(/unit=1,.*snapshot=on,file=\/vars\.fd/));
  });
});

it('prints what no served text can', () => {
  const text = 'echo netboot-ok:{{nonce}}';
  const plan = planWith({ payload: 'disk', serve: { 'boot.ipxe': { text } } });
  expect(plan.serve['boot.ipxe']).toEqual({ text: `echo netboot-ok:${nonce}0` });
  expect(plan.nonce).toBe(nonce);
});

describe('a machine of several boots', () => {
  const boots: Scenario['boots'] = [
    { name: 'install', payload: 'linux' },
    { name: 'from disk', payload: 'disk', stagePath: ['firmware', 'disk'], boot: [] },
  ];
  const plan = planWith({ boots });
  const [first, second] = plan.boots ?? [];

  it('keeps its disk and its variables', () => {
    expect(plan.machineFiles).toMatchObject({ 'disk.img': { path: '/disk' }, 'variables.fd': { path: '/vars.fd' } });
    for (const boot of [first, second]) {
      expect(boot?.machineFiles).toEqual(plan.machineFiles);
      expect(drives(boot?.qemu.argv ?? [])).toContainEqual(
        expect.stringMatching(/unit=1,format=raw,file=variables\.fd$/),
      );
    }
    expect(second?.qemu.argv).toEqual(first?.qemu.argv);
  });

  it('has its own path, policy and token for each', () => {
    expect(first).toMatchObject({ name: 'install', nonce: `${nonce}1`, scenario: { payload: 'linux' } });
    expect(first?.stagePath.at(-1)).toBe('userspace');
    expect(second).toMatchObject({ name: 'from disk', nonce, stagePath: ['firmware', 'disk'], boot: [] });
    expect(JSON.stringify([first?.serve, second?.serve]).replaceAll(`${nonce}1`, '')).not.toContain(nonce);
  });

  it('has the scenario as it was given, and the first boot’s plan', () => {
    expect(plan.scenario.boots).toEqual(boots);
    expect(plan).toMatchObject({ nonce, stagePath: first?.stagePath });
  });
});
