import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../../harness/model/plan.ts';
import { createAccelChooser } from '../../../harness/vm/acceleration.ts';
import { probeQemu, type QemuFacts } from '../../../harness/vm/host.ts';
import { bios, cellsOf, openHost, planOf } from '../../run/rig.ts';

const never = new AbortController().signal;
const canOpenKvm = ((): boolean => {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return process.platform === 'linux' && process.arch === 'x64';
  } catch {
    return false;
  }
})();

let folder: string;
let plan: Plan;
let foreign: Plan;
let qemu: QemuFacts;
let count = 0;
const newCache = () => join(folder, `cache-${++count}`, 'acceleration.json');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'acceleration-'));
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
afterAll(() => rmSync(folder, { recursive: true }));

describe('the accelerator', () => {
  it.each(['tcg', 'kvm', 'hvf'] as const)('is %s where it is asked for, whatever the host has', async (accel) => {
    const cache = newCache();
    const chooser = createAccelChooser(accel, cache);
    expect(await chooser.choose(plan, qemu, never)).toEqual({ accel, reason: 'asked for' });
    await chooser.distrust(plan, qemu, accel, 'it died');
    expect(await chooser.choose(plan, qemu, never)).toEqual({ accel, reason: 'asked for' });
    expect(existsSync(cache)).toBe(false);
  });

  it('is TCG for the architecture of another host', async () => {
    const { accel, reason } = await createAccelChooser('auto', undefined).choose(foreign, qemu, never);
    expect({ accel, reason }).toEqual({
      accel: 'tcg',
      reason: `this ${process.arch} host cannot accelerate ${foreign.scenario.arch}`,
    });
  });

  it('is TCG where this QEMU has no other', async () => {
    const plain = { ...qemu, accels: new Set(['tcg']) };
    const { accel, reason } = await createAccelChooser('auto', undefined).choose(plan, plain, never);
    expect(accel).toBe('tcg');
    expect(reason).toMatch(/^this (QEMU has no (kvm|hvf)|arm64 host)/);
  });
});

describe.runIf(canOpenKvm)('a probe boot of this firmware under KVM', () => {
  it('decides once, and the answer is kept', async () => {
    const cache = newCache();
    const chooser = createAccelChooser('auto', cache);
    const decisions = await Promise.all([chooser.choose(plan, qemu, never), chooser.choose(plan, qemu, never)]);
    expect(decisions[0]).toEqual(decisions[1]);
    const known = JSON.parse(readFileSync(cache, 'utf8')).entries;
    const [key, ...others] = Object.keys(known);
    expect(others).toEqual([]);
    expect(key).toContain(plan.inputs.find(({ role }) => role === 'firmware-code')?.sha256);
    expect(decisions[0]?.accel).toBe(known[key!] === 'works' ? 'kvm' : 'tcg');

    const reread = (answer: string) => {
      writeFileSync(cache, JSON.stringify({ version: 1, entries: { [key!]: answer } }));
      return createAccelChooser('auto', cache).choose(plan, qemu, never);
    };
    expect(await reread('works')).toMatchObject({ accel: 'kvm' });
    expect(await reread('kvm stopped the guest')).toEqual({
      accel: 'tcg',
      reason: 'kvm failed a boot of this firmware: kvm stopped the guest',
    });
  });

  it('is not trusted any more once a guest was given up on', async () => {
    const cache = newCache();
    const chooser = createAccelChooser('auto', cache);
    await chooser.distrust(plan, qemu, 'kvm', 'it died');
    const expected = { accel: 'tcg', reason: 'kvm failed a boot of this firmware: it died' };
    expect(await chooser.choose(plan, qemu, never)).toEqual(expected);
    expect(await createAccelChooser('auto', cache).choose(plan, qemu, never)).toEqual(expected);
  });

  it('is not remembered where it was interrupted', async () => {
    const cache = newCache();
    const { accel } = await createAccelChooser('auto', cache).choose(plan, qemu, AbortSignal.abort());
    expect(accel).toBe('tcg');
    expect(existsSync(cache)).toBe(false);
  });

  it.each(['', 'null', '[', '"works"', '{"x": 5}'])('is made anew where the cache holds %j', async (text) => {
    const cache = join(folder, `torn-${++count}.json`);
    writeFileSync(cache, text);
    const chooser = createAccelChooser('auto', cache);
    await chooser.distrust(plan, qemu, 'kvm', 'it died');
    expect(await chooser.choose(plan, qemu, never)).toMatchObject({ accel: 'tcg' });
    expect(Object.values(JSON.parse(readFileSync(cache, 'utf8')).entries)).toContain('it died');
  });

  it('decides also where the answer cannot be kept', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const chooser = createAccelChooser('auto', join(file, 'acceleration.json'));
    await chooser.distrust(plan, qemu, 'kvm', 'it died');
    expect(await chooser.choose(plan, qemu, never)).toMatchObject({ accel: 'tcg' });
  });
});
