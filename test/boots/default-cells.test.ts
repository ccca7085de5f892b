import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { expandMatrix, judge, parseMatrix, type RunResult, type Stage } from '../../harness/index.ts';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { fileReporter } from '../../harness/report/report-files.ts';
import { readCaseResult, readEvents, readPlan } from '../../harness/run/records/run-directory.ts';
import { runRecords } from '../../harness/run/records/run-records.ts';
import defaultMatrix from '../../scenarios/default.ts';
import { runCells } from '../run/rig.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { readFrames } from './pcapng.ts';

/** One cell of the default matrix per configuration and architecture, and the ways in which nothing boots. */
const cells: Record<string, { configuration: number | null; stages: Partial<Record<Stage, string>>; stopsAt?: Stage }> =
  {
    'bios-pxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled.undionly': {
      configuration: 1,
      stages: {
        firmware: 'seabios-banner',
        oprom: 'ipxe-bios-rom',
        dhcp: 'first-lease',
        'nbp-fetch': 'nbp-delivered: undionly.kpxe',
        nbp: 'ipxe-nbp',
        'nbp-dhcp': 'nbp-lease',
        config: 'token',
      },
    },
    'bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled': {
      configuration: 2,
      stages: { firmware: 'seabios-banner', oprom: 'ipxe-bios-rom', dhcp: 'first-lease', config: 'token' },
    },
    'uefi-ipxe-rom.x86_64.q35.ovmf@bookworm.e1000.bundled': {
      configuration: 4,
      stages: { oprom: 'ipxe-rom-start', dhcp: 'first-lease', config: 'token' },
    },
    'uefi-no-rom.x86_64.q35.ovmf@bookworm.virtio-net-pci.none.snponly': {
      configuration: 6,
      stages: {
        dhcp: 'first-lease',
        'nbp-fetch': 'nbp-delivered: snponly.efi',
        'nbp-dhcp': 'nbp-lease',
        config: 'token',
      },
    },
    'arm-no-rom.aarch64.virt.aavmf@bookworm.virtio-net-pci.none.ipxe': {
      configuration: 6,
      stages: { firmware: 'uefi-banner', 'nbp-fetch': 'nbp-delivered', 'nbp-dhcp': 'nbp-lease', config: 'token' },
    },
    'bios-no-rom.x86_64.pc.seabios@bookworm.e1000.none': {
      configuration: null,
      stages: { firmware: 'seabios-banner' },
      stopsAt: 'dhcp',
    },
    'uefi-no-driver.x86_64.q35.ovmf@bookworm.e1000.none.snponly': {
      configuration: null,
      stages: { firmware: 'bds' },
      stopsAt: 'dhcp',
    },
    'arm-no-driver.aarch64.virt.aavmf@bookworm.e1000.none.ipxe': {
      configuration: null,
      stages: { firmware: 'uefi-banner' },
      stopsAt: 'dhcp',
    },
  };

const outDir = folderOfFile();
let run: RunResult;
beforeAll(async () => {
  const all = expandMatrix(parseMatrix(defaultMatrix, 'default matrix')).cells;
  const chosen = Object.keys(cells).map((id) => all.find((cell) => cell.id === id) ?? id);
  expect(chosen.filter((cell) => typeof cell === 'string')).toEqual([]);
  run = await runCells(
    outDir,
    chosen.filter((cell) => typeof cell !== 'string'),
    {
      jobs: undefined,
      reporter: fileReporter({ invocation: { command: 'netboot', setDirs: [] }, env: {}, recordsOf: runRecords }),
    },
  );
}, 240_000);

describe.each(Object.entries(cells))('%s', (id, { configuration, stages, stopsAt = null }) => {
  const directory = () => join(outDir, 'cases', id);
  const result = () => run.cases.find((one) => one.id === id);

  it('does what is expected of it, the first time', () => {
    expect(result()).toMatchObject({
      verdict: { status: 'passed', stoppedAt: stopsAt, observedConfiguration: configuration, findings: [] },
      run: { attempts: [{ status: 'passed' }], accel: 'tcg' },
    });
  });

  it('has evidence of its own for each stage', () => {
    const reached = result()?.verdict.stages.filter((stage) => stage.reached) ?? [];
    expect(stopsAt === null).toBe(reached.length === result()?.verdict.stages.length);
    for (const { evidence, atMs } of reached) {
      expect(evidence).toMatch(/^[a-z-]+: ./);
      expect(atMs).toBeGreaterThan(0);
    }
    const evidence = Object.fromEntries(reached.map((stage) => [stage.stage, stage.evidence]));
    for (const [stage, rule] of Object.entries(stages)) expect(evidence[stage]).toContain(rule);
    const { nonce } = readPlan(directory());
    if (stopsAt === null) expect(evidence.config).toBe(`token: netboot-ok:${nonce}`);
  });

  it('leaves complete records', () => {
    const files = ['serial.raw', 'console.txt', 'events.jsonl', 'wire.pcapng', 'plan.json', 'result.json', 'repro.sh'];
    for (const file of files)
      expect({ file, bytes: statSync(join(directory(), file)).size > 0 }).toEqual({ file, bytes: true });
    for (const file of ['qemu.stderr', 'firmware-debug.log']) expect(existsSync(join(directory(), file))).toBe(true);
    expect(existsSync(join(directory(), 'attempt-2'))).toBe(false);
    expect(statSync(join(directory(), 'repro.sh')).mode & 0o111).toBe(0o111);
    const console = readFileSync(join(directory(), 'console.txt'), 'utf8');
    expect(console.includes(`netboot-ok:${readPlan(directory()).nonce}`)).toBe(stopsAt === null);
  });

  it('has each frame it decoded in its capture', () => {
    const frames = readFrames(readFileSync(join(directory(), 'wire.pcapng')));
    const wire = readEvents(directory()).filter(({ source }) => source === 'wire');
    const dhcp = wire.filter(({ type }) => type === 'dhcp').length;
    const udpTo = (ports: number[]) => (frame: Buffer) =>
      frame.readUInt16BE(12) === 0x0800 && frame[23] === 17 && ports.includes(frame.readUInt16BE(36));
    expect(frames.filter(udpTo([67, 68, 4011]))).toHaveLength(dhcp);
    expect(dhcp > 0).toBe(stopsAt === null);
  });

  it('is judged the same again', () => {
    const again = judge(readPlan(directory()), readEvents(directory()));
    expect(readCaseResult(directory())?.verdict).toEqual(again);
    expect(readCaseResult(directory())).toEqual(result());
  });
});

it('gives results.json as it is documented', () => {
  const results = runResultSchema.parse(JSON.parse(readFileSync(join(outDir, 'results.json'), 'utf8')));
  expect(results).toEqual(run);
  expect(results.totals).toMatchObject({ passed: Object.keys(cells).length, failed: 0, flaky: 0, error: 0 });
  expect(results.guestCpuMs).toBe(results.cases.reduce((sum, { run: { guestCpuMs } }) => sum + guestCpuMs, 0));
  for (const {
    run: { guestCpuMs, durationMs, inputs },
  } of results.cases) {
    expect(guestCpuMs).toBeGreaterThan(0);
    expect(durationMs).toBeGreaterThan(0);
    expect(inputs.map(({ role }) => role)).toContain('firmware-code');
    for (const { sha256 } of inputs) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  }
});
