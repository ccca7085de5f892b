import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { execa } from 'execa';

import { describe, expect, it } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { runAttempt } from '../../harness/run/attempt.ts';
import { createAuthorities } from '../../harness/run/authorities.ts';
import { startNetwork } from '../../harness/run/boot/network.ts';
import { type QemuStart, startQemu } from '../../harness/vm/qemu.ts';
import { recordedRun } from '../judge/recorded-run.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { countsDescriptors, leftOpenBy } from './open-descriptors.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const recorded = recordedRun('bios-ipxe-rom').plan;
/** No program can be given it, so that the start fails when all else is open already. */
const impossible = ['-name', 'a\0b'];

const qemuStart = (fields: Partial<QemuStart>): QemuStart => ({
  program: 'qemu-system-x86_64',
  argv: [],
  env: {},
  fds: { nic: 3, qmp: 4, serial: 5, uplink: 6 },
  cwd: folder,
  emit: () => {},
  onStderr: () => {},
  ...fields,
});

const prlimit = (...args: string[]) => execa('prlimit', ['--pid', String(process.pid), ...args]);

/** Leaves this process so many descriptors more than it has, while `work` runs. */
async function withFewDescriptors(more: number, work: () => Promise<void>): Promise<void> {
  const { stdout: before } = await prlimit('--nofile', '--output=SOFT', '--noheadings');
  await prlimit(`--nofile=${Math.max(...readdirSync('/proc/self/fd').map(Number)) + 32}:`);
  const held: number[] = [];
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    for (const fd of held.splice(-more)) closeSync(fd);
  }
  try {
    await work();
  } finally {
    for (const fd of held) closeSync(fd);
    await prlimit(`--nofile=${before.trim()}:`);
  }
}

describe.runIf(countsDescriptors)('a start of QEMU that fails leaves nothing open', () => {
  it.each([
    ['for want of its folder', { cwd: '/nonexistent' }, 'could not be started'],
    ['for an argument that no program can be given', { argv: impossible }, 'null bytes'],
  ])('%s', async (_, fields, why) => {
    expect(await leftOpenBy(() => expect(startQemu(qemuStart(fields))).rejects.toThrow(why))).toEqual([]);
  });

  it('for want of descriptors for its second link', async () => {
    const left = await leftOpenBy(() =>
      withFewDescriptors(4, () => expect(startQemu(qemuStart({}))).rejects.toThrow('EMFILE')),
    );
    expect(left).toEqual([]);
  });
});

it.runIf(countsDescriptors)('an attempt that cannot start its guest closes its records and its capture', async () => {
  const directory = join(folder, 'case');
  const left = await leftOpenBy(async () => {
    const { verdict, retryable } = await runAttempt({
      id: 'case',
      plan: { ...recorded, inputs: [], qemu: { ...recorded.qemu, argv: impossible } },
      attempt: 1,
      directory,
      qemu: { sandbox: false, version: '7.2' },
      setDirs: [],
      accel: 'tcg',
      fingerprints: createFingerprints(),
      authorities: createAuthorities(),
      onStage: () => {},
      signal: new AbortController().signal,
    });
    expect({ status: verdict.status, retryable }).toEqual({ status: 'error', retryable: true });
  });
  expect(left).toEqual([]);
  expect(readdirSync(directory)).toContain('wire.pcapng');
});

describe.runIf(countsDescriptors)('a network that cannot be started', () => {
  const tcp: Plan['network']['tcp'] = [
    { port: 80, service: 'http' },
    { port: 3260, service: 'iscsi' },
  ];
  const san = { iqn: 'iqn.2026-01.example.test:disk', disk: '/dev/null', patch: [], programRoot: '/nonexistent' };

  it('ends the servers that had started', async () => {
    const left = await leftOpenBy(() =>
      expect(
        startNetwork({
          plan: { ...recorded, serve: {}, san, network: { ...recorded.network, tcp } },
          guest: { nic: new PassThrough(), uplink: new PassThrough() },
          capture: { frame: () => {}, close: async () => {} },
          authorities: createAuthorities(),
          emit: () => {},
          now: () => 0,
          hasReached: () => false,
        }),
      ).rejects.toMatchObject({ code: 'missing-program' }),
    );
    expect(left).toEqual([]);
  });
});
