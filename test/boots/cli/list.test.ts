import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { archs } from '../../../harness/model/axes.ts';
import { qemuProgramOf } from '../../../harness/model/qemu-program.ts';
import type { CaseResult } from '../../../harness/model/verdict.ts';
import { findProgram } from '../../../harness/os/find-program.ts';
import { netbootWith } from '../../cli/netboot.ts';
import { folderOfFile } from '../../temporary-folder.ts';

const folder = folderOfFile();
beforeAll(() => {
  const programs = join(folder, 'bin');
  mkdirSync(programs);
  for (const name of archs.map(qemuProgramOf)) symlinkSync(findProgram(name) ?? '', join(programs, name));
  // QEMU and no other program, such as sbsign.
  vi.stubEnv('PATH', programs);
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const netboot = (...argv: string[]) => netbootWith({ ...process.env, NETBOOT_CACHE: join(folder, 'cache') }, ...argv);

function write(name: string, groups: object[]): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify({ name: 'lacks', groups }));
  return path;
}

const bios = { arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'bundled' };
const uefi = { arch: 'x86_64', firmware: 'ovmf', nic: 'virtio-net-pci', rom: 'none' };

/** Something missing of every kind that a run can do without; nothing of these boots here. */
const lacking = {
  set: { ...bios, set: 'nowhere' },
  rom: { ...uefi, nic: 'e1000', rom: 'vendor-snp' },
  loader: { ...uefi, secondStage: 'ipxe', nbpSet: 'nowhere' },
  kernel: { ...bios, payload: 'linux' },
  disk: { ...bios, payload: 'iscsi' },
  program: { ...bios, qemu: 'qemu-10' },
  signer: { ...uefi, secondStage: 'ipxe', secureBoot: 'snakeoil', signWith: 'snakeoil' },
  interface: { ...uefi, firmware: { code: 'big.fd' } },
  flash: { ...uefi, arch: 'aarch64', firmware: { code: 'big.fd', interface: 'uefi' } },
  device: { ...bios, nic: 'igb', rom: 'none', waitsFor: 'a ROM for igb' },
  waiting: { ...uefi, nic: 'e1000', rom: 'vendor-snp', waitsFor: 'a driver for e1000' },
};

it('says of every case that a run would not run, and why, without booting', async () => {
  writeFileSync(join(folder, 'big.fd'), '');
  truncateSync(join(folder, 'big.fd'), 70 << 20);
  const matrix = write(
    'lacks.json',
    Object.entries(lacking).map(([name, group]) => ({ name, ...group })),
  );
  const listed = await netboot('list', '--matrix', matrix, '--json');
  const reasons = JSON.parse(listed.out).map(({ id, notRun }: { id: string; notRun?: string }) => [id, notRun]);
  const choices = ['--allow-not-run', '--accel', 'tcg', '--out', join(folder, 'out')];
  const run = await netboot('run', '--matrix', matrix, '--json', ...choices);
  const cases: CaseResult[] = JSON.parse(run.out).cases;
  expect(cases.map(({ verdict }) => verdict.status)).toEqual([...Array(10).fill('not-run'), 'waiting']);
  const nameOfQemu = /QEMU \S+ \((\S+)\)/;
  expect(reasons.slice(0, 10)).toEqual(
    cases.slice(0, 10).map(({ id, verdict }) => [id, verdict.diagnosis?.replace(nameOfQemu, '$1')]),
  );

  const { out, err } = await netboot('list', '--matrix', matrix);
  const lines = out.trimEnd().split('\n');
  expect(lines.filter((line) => line.includes('(not run here: '))).toHaveLength(10);
  expect(lines.at(-1)).toMatch(/^waiting\..* {2}\(waits for a driver for e1000\)$/);
  expect(err.split('\n')).toEqual([
    '10 of 11 cannot be run here, which fails a run of them',
    '1 of 11 wait for a set of yours',
    '',
  ]);
});

it.each([
  ['a file that is not there', { ...bios, rom: { file: 'gone.rom' } }],
  ['a patch to a file that is not served', { ...bios, serve: { other: { patch: [{ offset: 0, ascii: 'x' }] } } }],
])('says of a case with %s why a run of it is refused', async (_, group) => {
  const matrix = write('refused.json', [{ name: 'refused', ...group }]);
  const { out } = await netboot('list', '--matrix', matrix, '--json');
  const [{ notRun }] = JSON.parse(out);
  const run = await netboot('run', '--matrix', matrix, '--trust', '--out', join(folder, 'refused'));
  expect(run.code).toBe(2);
  expect(run.err).toContain(`error: ${notRun}\n`);
});
