import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { found } from '../assets/found.ts';
import { hostSet } from './assets/host.ts';
import { compile, compiled, openWorkplace } from './cli.ts';

beforeAll(compile, 120_000);

/** As an edk2 build leaves it: no longer than its contents. */
function trimmed(flash: Buffer): Buffer {
  let end = flash.length;
  while (end > 0 && flash[end - 1] === 0) end--;
  return flash.subarray(0, Math.ceil(Math.max(end, 1) / 4096) * 4096);
}

test("firmware of one's own boots by path: a BIOS, flash in one image, code and variables apart, an Arm build", async () => {
  using place = openWorkplace();
  const host = await hostSet();
  const filesOf = (firmware: 'ovmf' | 'aavmf', arch: 'x86_64' | 'aarch64') => {
    const { code, vars } = found(host.firmware({ firmware, arch, secureBoot: 'off' }));
    return { code: readFileSync(code as string), vars: readFileSync(vars as string) };
  };
  const put = (name: string, content: Buffer) => writeFileSync(join(place.folder, name), content);
  const seabios = found(host.firmware({ firmware: 'seabios', arch: 'x86_64', secureBoot: 'off' }));
  put('bios.bin', readFileSync((seabios.code ?? seabios.builtIn) as string));
  const ovmf = filesOf('ovmf', 'x86_64');
  put('OVMF.fd', Buffer.concat([ovmf.vars, ovmf.code]));
  put('CODE.fd', ovmf.code);
  put('VARS.fd', ovmf.vars);
  const aavmf = filesOf('aavmf', 'aarch64');
  put('QEMU_EFI.fd', trimmed(aavmf.code));
  put('QEMU_VARS.fd', trimmed(aavmf.vars));

  const x86 = { arch: 'x86_64', rom: 'none', nic: 'virtio-net-pci', secondStage: 'snponly', configuration: 6 };
  const matrix = place.write('matrix.json', {
    name: 'own',
    groups: [
      { name: 'alone', arch: 'x86_64', firmware: { code: 'bios.bin' }, nic: 'e1000', configuration: 2 },
      {
        ...{ name: 'chained', arch: 'x86_64', firmware: { code: 'bios.bin' }, nic: 'e1000', rom: 'bios' },
        ...{ secondStage: 'undionly', configuration: 1, standIn: true },
      },
      { name: 'flat', ...x86, firmware: { code: 'OVMF.fd' } },
      { name: 'split', ...x86, firmware: { code: 'CODE.fd', vars: 'VARS.fd' } },
      {
        ...{ name: 'arm', arch: 'aarch64', nic: 'virtio-net-pci', rom: 'none', configuration: 6 },
        ...{ secondStage: 'ipxe', nbpSet: 'forky', firmware: { code: 'QEMU_EFI.fd', vars: 'QEMU_VARS.fd' } },
      },
    ],
  });
  const argv = ['run', '--matrix', matrix, '--out', 'out', '--accel', 'tcg'];
  const run = await place.start(join(compiled, 'cli/main.js'), ...argv).finished;
  const { cases } = runResultSchema.parse(JSON.parse(readFileSync(join(place.folder, 'out/results.json'), 'utf8')));
  const outcomes = cases.map(({ scenario, verdict }) => [
    scenario.group,
    scenario.machine,
    verdict.status,
    verdict.observedConfiguration,
  ]);
  expect(outcomes, run.stdout).toEqual([
    ['alone', 'pc', 'passed', 2],
    ['chained', 'pc', 'passed', 1],
    ['flat', 'q35', 'passed', 6],
    ['split', 'q35', 'passed', 6],
    ['arm', 'virt', 'passed', 6],
  ]);
  expect(run.exitCode).toBe(0);
});
