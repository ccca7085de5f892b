import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../../harness/model/plan.ts';
import { type AccelChoice, createAccelChooser } from '../../../harness/vm/acceleration.ts';
import { probeQemu, type QemuFacts } from '../../../harness/vm/host.ts';
import { bios, cellsOf, openHost, planOf } from '../../run/rig.ts';
import { folderOfFile } from '../../temporary-folder.ts';

const never = new AbortController().signal;
const canOpenKvm = ((): boolean => {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return process.platform === 'linux' && process.arch === 'x64';
  } catch {
    return false;
  }
})();

const chooserOf = (choice: AccelChoice, cacheFile?: string, signal = never) =>
  createAccelChooser({ choice, cacheFile, signal });

const folder = folderOfFile();
let plan: Plan;
let foreign: Plan;
let qemu: QemuFacts;
let count = 0;
const newCache = () => join(folder, `cache-${++count}`, 'acceleration.json');

beforeAll(async () => {
  const host = await openHost();
  const arm = {
    arch: process.arch === 'arm64' ? 'x86_64' : 'aarch64',
    firmware: process.arch === 'arm64' ? 'seabios' : 'aavmf',
  };
  const [first, second] = cellsOf({ name: 'a', ...bios }, { name: 'b', ...arm, nic: 'virtio-net-pci', rom: 'none' });
  plan = await planOf(first!, host);
  foreign = await planOf(second!, host);
  qemu = await probeQemu({ program: plan.qemu.program, env: {} });
});

describe('the accelerator', () => {
  it.each(['tcg', 'kvm', 'hvf'] as const)('is %s where it is asked for, whatever the host has', async (accel) => {
    const cache = newCache();
    const chooser = chooserOf(accel, cache);
    expect(await chooser.choose(plan, qemu)).toEqual({ accel, reason: 'asked for' });
    await chooser.distrust(plan, qemu, accel, 'it died');
    expect(await chooser.choose(plan, qemu)).toEqual({ accel, reason: 'asked for' });
    expect(existsSync(cache)).toBe(false);
  });

  it.each(['auto', 'kvm'] as const)(
    'is TCG for a guest whose clock counts instructions, asked for %s',
    async (choice) => {
      const counting = { ...plan, scenario: { ...plan.scenario, icount: 7 } };
      const counts = { accel: 'tcg', reason: 'only TCG counts instructions' };
      expect(await chooserOf(choice).choose(counting, qemu)).toEqual(counts);
      const boots = [plan, counting].map((boot, at) => ({ ...boot, name: `boot ${at}` }));
      expect(await chooserOf(choice).choose({ ...plan, boots }, qemu)).toEqual(counts);
    },
  );

  it('is TCG for the architecture of another host', async () => {
    const { accel, reason } = await chooserOf('auto').choose(foreign, qemu);
    expect({ accel, reason }).toEqual({
      accel: 'tcg',
      reason: `this ${process.arch} host cannot accelerate ${foreign.scenario.arch}`,
    });
  });

  it('is TCG where this QEMU has no other', async () => {
    const plain = { ...qemu, accels: new Set(['tcg']) };
    const { accel, reason } = await chooserOf('auto').choose(plan, plain);
    expect(accel).toBe('tcg');
    expect(reason).toMatch(/^this (QEMU has no (kvm|hvf)|arm64 host)/);
  });
});

describe.runIf(canOpenKvm)('a probe boot of this firmware under KVM', () => {
  it('decides once, and the answer is kept', async () => {
    const cache = newCache();
    const chooser = chooserOf('auto', cache);
    const decisions = await Promise.all([chooser.choose(plan, qemu), chooser.choose(plan, qemu)]);
    expect(decisions[0]).toEqual(decisions[1]);
    const known = JSON.parse(readFileSync(cache, 'utf8')).entries;
    const [key, ...others] = Object.keys(known);
    expect(others).toEqual([]);
    expect(key).toContain(plan.inputs.find(({ role }) => role === 'firmware-code')?.sha256);
    expect(decisions[0]?.accel).toBe(known[key!].works ? 'kvm' : 'tcg');

    const reread = (answer: object) => {
      writeFileSync(cache, JSON.stringify({ version: 2, entries: { [key!]: { ...known[key!], ...answer } } }));
      return chooserOf('auto', cache).choose(plan, qemu);
    };
    expect(await reread({ works: true })).toMatchObject({ accel: 'kvm' });
    expect(await reread({ works: false, reason: 'it stopped the guest' })).toEqual({
      accel: 'tcg',
      reason: 'kvm failed a boot of this firmware: it stopped the guest',
    });
  });

  it('is not trusted any more once a guest was given up on', async () => {
    const cache = newCache();
    const chooser = chooserOf('auto', cache);
    await chooser.distrust(plan, qemu, 'kvm', 'it died');
    const expected = { accel: 'tcg', reason: 'kvm failed a boot of this firmware: it died' };
    expect(await chooser.choose(plan, qemu)).toEqual(expected);
    expect(await chooserOf('auto', cache).choose(plan, qemu)).toEqual(expected);
  });

  it('that came to nothing for want of memory is not remembered', async () => {
    const program = join(folder, 'qemu-without-memory');
    const words = 'qemu-system-x86_64: -accel kvm: failed to initialize kvm: Cannot allocate memory';
    writeFileSync(program, `#!/bin/sh\necho '${words}' >&2\nexit 1\n`, { mode: 0o755 });
    const cache = newCache();
    const starved = { ...plan, qemu: { ...plan.qemu, program } };
    const { accel, reason } = await chooserOf('auto', cache).choose(starved, { ...qemu, program });
    expect({ accel, reason }).toEqual({ accel: 'tcg', reason: expect.stringContaining('Cannot allocate memory') });
    expect(existsSync(cache)).toBe(false);
  });

  it('is not remembered where it was interrupted', async () => {
    const cache = newCache();
    const { accel } = await chooserOf('auto', cache, AbortSignal.abort()).choose(plan, qemu);
    expect(accel).toBe('tcg');
    expect(existsSync(cache)).toBe(false);
  });

  it.each(['', 'null', '[', '"works"', '{"x": 5}'])('is made anew where the cache holds %j', async (text) => {
    const cache = join(folder, `torn-${++count}.json`);
    writeFileSync(cache, text);
    const chooser = chooserOf('auto', cache);
    await chooser.distrust(plan, qemu, 'kvm', 'it died');
    expect(await chooser.choose(plan, qemu)).toMatchObject({ accel: 'tcg' });
    expect(Object.values(JSON.parse(readFileSync(cache, 'utf8')).entries)).toMatchObject([{ reason: 'it died' }]);
  });

  it('decides also where the answer cannot be kept', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const chooser = chooserOf('auto', join(file, 'acceleration.json'));
    await chooser.distrust(plan, qemu, 'kvm', 'it died');
    expect(await chooser.choose(plan, qemu)).toMatchObject({ accel: 'tcg' });
  });
});
