import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probeQemu } from '../../harness/vm/host.ts';
import { runningArgv } from '../../harness/vm/running-argv.ts';
import { recordedRun } from '../judge/recorded-run.ts';
import { folderOfFile } from '../temporary-folder.ts';

const folder = folderOfFile();

describe("QEMU's command line", () => {
  const { plan } = recordedRun('bios-ipxe-rom');

  it('has accelerator and CPU in front of what the plan says', () => {
    const argv = runningArgv(plan, { sandbox: false }, 'tcg');
    expect(argv.slice(0, 4)).toEqual(['-accel', 'tcg', '-cpu', 'qemu64']);
    expect(argv.slice(4)).toEqual(plan.qemu.argv);
    expect(runningArgv(plan, { sandbox: false }, 'hvf')).toContain('host');
  });

  it('names no CPU where the plan has none', () => {
    const open = { ...plan, qemu: { ...plan.qemu, cpu: {} } };
    expect(runningArgv(open, { sandbox: false }, 'kvm')).toEqual(['-accel', 'kvm', ...plan.qemu.argv]);
  });

  it('shuts QEMU in where it can be', () => {
    const [option, value] = runningArgv(plan, { sandbox: true }, 'tcg');
    expect(option).toBe('-sandbox');
    expect(value?.split(',')).toEqual(expect.arrayContaining(['on', 'spawn=deny', 'elevateprivileges=deny']));
  });
});

describe('what a QEMU is', () => {
  it('is asked of a program that cannot answer, and said so', async () => {
    const broken = join(folder, 'qemu-broken');
    writeFileSync(broken, '#!/bin/sh\necho "error while loading shared libraries: libpixman-1.so.0" >&2\nexit 127\n');
    chmodSync(broken, 0o755);
    await expect(probeQemu({ program: broken, env: {} })).rejects.toMatchObject({
      code: 'qemu-failed',
      message: expect.stringContaining('libpixman-1.so.0'),
    });
    await expect(probeQemu({ program: 'qemu-system-nothing', env: {} })).rejects.toMatchObject({
      code: 'missing-program',
      message: expect.stringContaining('qemu-system-nothing is not installed'),
    });
  });

  it('may be little: a build without sandbox, accelerators and NICs', async () => {
    const small = join(folder, 'qemu-small');
    writeFileSync(
      small,
      '#!/bin/sh\ncase "$*" in --version) echo "QEMU emulator version 11.0.1 (v11)";; "-accel help") echo "Accelerators:";; esac\n',
    );
    chmodSync(small, 0o755);
    expect(await probeQemu({ program: small, env: {} })).toEqual({
      program: small,
      version: '11.0.1',
      devices: new Set(),
      nics: [],
      sandbox: false,
      accels: new Set(),
    });
  });

  it('is asked again only of another program, or in another environment', async () => {
    const program = join(folder, 'qemu-counted');
    const asked = join(folder, 'asked');
    const install = (version: string): void => {
      writeFileSync(
        program,
        `#!/bin/sh\necho "$*" >> ${asked}\n[ "$*" = --version ] && echo "QEMU emulator version ${version}"\ntrue\n`,
      );
      chmodSync(program, 0o755);
    };
    const timesAsked = (): number => readFileSync(asked, 'utf8').split('--version').length - 1;

    install('10.0.2');
    await probeQemu({ program, env: {} });
    expect(await probeQemu({ program, env: {} })).toMatchObject({ program, version: '10.0.2' });
    expect(timesAsked()).toBe(1);
    await probeQemu({ program, env: { LD_LIBRARY_PATH: '/lib' } });
    expect(timesAsked()).toBe(2);
    install('11.0.50');
    expect(await probeQemu({ program, env: {} })).toMatchObject({ version: '11.0.50' });
    expect(timesAsked()).toBe(3);
  });
});
