import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { QemuFacts } from '../../harness/vm/host.ts';
import { type ProbeOutcome, probeBoot } from '../../harness/vm/probe-boot.ts';
import { recordedRun } from '../judge/recorded-run.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const { plan } = recordedRun('bios-ipxe-rom');
const { serial } = plan.qemu.fds;
const never = new AbortController().signal;

/** A probe boot on a QEMU that does as the script says. */
function probeOf(script: string, signal = never): Promise<ProbeOutcome> {
  const program = join(folder, 'qemu-system-x86_64');
  writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const facts: QemuFacts = { program, version: '9', devices: new Set(), nics: [], sandbox: false, accels: new Set() };
  return probeBoot({ ...plan, qemu: { ...plan.qemu, program } }, facts, 'kvm', signal);
}

const says = (words: string): string => `echo '${words}' >&2; exit 1`;

describe('a probe boot', () => {
  it('works where the firmware comes to its boot devices', async () => {
    expect(await probeOf(`echo 'Booting from ROM...' >&${serial}; exec sleep 60`)).toEqual({ works: true });
  });

  it.each([
    'qemu-system-x86_64: -accel kvm: failed to initialize kvm: No such file or directory',
    'qemu-system-x86_64: error: failed to set MSR 0x10a to 0x2000',
  ])('fails for good where QEMU says that the accelerator did: %s', async (words) => {
    const reason = words.replace(/^.*(?=failed to init|error: failed)/, '');
    expect(await probeOf(says(words))).toEqual({ works: false, lasting: true, reason });
  });

  it.each([
    ['the host lacked memory', 'qemu-system-x86_64: failed to initialize kvm: Cannot allocate memory'],
    ['the host was at a limit', 'ioctl(KVM_CREATE_VM) failed: 11 Resource temporarily unavailable'],
    ['something else was the matter', "qemu-system-x86_64: -bios kvm.bin: could not load PC BIOS 'kvm.bin'"],
  ])('says nothing of the accelerator where %s', async (_, words) => {
    expect(await probeOf(says(words))).toMatchObject({ works: false, lasting: false });
  });

  it('says nothing of the accelerator where it could not be started', async () => {
    vi.stubEnv('TMPDIR', '/nonexistent');
    expect(await probeOf('exit 0')).toMatchObject({ works: false, lasting: false });
  });

  it('ends when it is interrupted, leaves nothing behind, and says nothing of the accelerator', async () => {
    vi.stubEnv('TMPDIR', folder);
    const interruption = new AbortController();
    const outcome = probeOf('exec sleep 60', interruption.signal);
    interruption.abort();
    expect(await outcome).toEqual({ works: false, lasting: false, reason: 'the probe was interrupted' });
    expect(readdirSync(folder)).toEqual(['qemu-system-x86_64']);
  });
});
