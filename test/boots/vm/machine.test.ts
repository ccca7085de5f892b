import { expect, it } from 'vitest';
import { probeQemu } from '../../../harness/vm/host.ts';

it.each(['qemu-system-x86_64', 'qemu-system-aarch64'])('%s says what it is', async (program) => {
  const facts = await probeQemu({ program, env: {} });
  expect(facts.version).toMatch(/^\d+\.\d+/);
  expect(facts.nics).toEqual(expect.arrayContaining(['e1000', 'virtio-net-pci']));
  expect(facts.nics).not.toContain('virtio-rng-pci');
  expect(facts.devices.has('virtio-rng-pci')).toBe(true);
  expect(facts.accels.has('tcg')).toBe(true);
});
