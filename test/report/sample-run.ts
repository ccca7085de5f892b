import type { Scenario } from '../../harness/model/scenario.ts';
import { type CaseResult, type RunResult, runResultSchema, statuses } from '../../harness/model/verdict.ts';

export interface SampleFields {
  id?: string;
  round?: number;
  scenario?: Partial<Scenario>;
  verdict?: Partial<CaseResult['verdict']>;
  run?: Partial<CaseResult['run']>;
}

export const invocation = { command: 'netboot', setDirs: [], outDir: '/out' };

export function sampleCase(fields: SampleFields = {}): CaseResult {
  const { id = 'bios.x86_64.pc.seabios.e1000.bundled', round = 1 } = fields;
  return {
    id,
    round,
    scenario: {
      id,
      group: 'bios',
      arch: 'x86_64',
      firmware: 'seabios',
      set: 'host',
      machine: 'pc',
      nic: 'e1000',
      rom: 'bundled',
      secondStage: 'none',
      transport: 'tftp',
      payload: 'script',
      secureBoot: 'off',
      ipVersion: 4,
      qemu: 'host',
      configuration: 2,
      expect: { reaches: 'last' },
      ...fields.scenario,
    },
    verdict: {
      status: 'passed',
      lastStage: 'config',
      stoppedAt: null,
      failure: null,
      observedConfiguration: 2,
      stages: [
        { stage: 'firmware', reached: true, atMs: 400, evidence: 'seabios-banner: SeaBIOS (version 1.16.2)' },
        { stage: 'config', reached: true, atMs: 5600, evidence: 'token: netboot-ok:0123' },
      ],
      diagnosis: null,
      findings: [],
      ...fields.verdict,
    },
    run: {
      directory: `cases/${id}`,
      attempts: [{ directory: `cases/${id}`, status: 'passed' }],
      durationMs: 5800,
      guestCpuMs: 600,
      accel: 'tcg',
      inputs: [],
      predictedConfiguration: null,
      ...fields.run,
    },
  };
}

export const stoppedCase = sampleCase({
  id: 'uefi.x86_64.q35.ovmf.e1000.none',
  scenario: {
    group: 'uefi',
    firmware: 'ovmf',
    machine: 'q35',
    rom: 'none',
    configuration: 6,
    expect: { stopsAt: 'dhcp', failure: [{ rule: 'uefi-shell' }], reason: 'no driver for e1000' },
  },
  verdict: {
    observedConfiguration: null,
    lastStage: 'firmware',
    stoppedAt: 'dhcp',
    failure: { rule: 'uefi-shell', atMs: 3900, text: 'Shell>' },
    diagnosis: 'UEFI shell reached without a network boot option',
  },
});

export const failedCase = sampleCase({
  id: 'bios.x86_64.pc.seabios.pcnet.bundled',
  scenario: { nic: 'pcnet' },
  verdict: {
    status: 'failed',
    lastStage: 'firmware',
    stoppedAt: 'dhcp',
    failure: { rule: 'seabios-no-boot', atMs: 4000, text: 'No bootable device.' },
    diagnosis: 'no DHCP; the last thing seen was "No bootable device."',
    stages: [
      { stage: 'firmware', reached: true, atMs: 400, evidence: 'seabios-banner' },
      { stage: 'dhcp', reached: false, atMs: null, evidence: null },
    ],
  },
});

export const notRunCase = sampleCase({
  id: 'arm.aarch64.virt.aavmf.e1000.snp',
  scenario: { group: 'arm', arch: 'aarch64', firmware: 'aavmf', machine: 'virt', rom: 'snp', configuration: 5 },
  verdict: {
    status: 'not-run',
    observedConfiguration: null,
    lastStage: null,
    stages: [],
    diagnosis: 'no such ROM in set host',
  },
  run: { directory: null, attempts: [], durationMs: 0, guestCpuMs: 0, accel: null },
});

export function sampleRun(cases: CaseResult[], fields: Partial<RunResult> = {}): RunResult {
  const count = (status: CaseResult['verdict']['status']) =>
    cases.filter(({ verdict }) => verdict.status === status).length;
  return runResultSchema.parse({
    version: 1,
    matrix: 'sample',
    startedAt: '2026-01-02T03:04:05.000Z',
    host: {
      cores: 2,
      memoryMiB: 4096,
      platform: 'linux x64',
      node: 'v20.20.0',
      qemu: { 'qemu-system-x86_64': '7.2.22' },
    },
    cases,
    totals: Object.fromEntries(statuses.map((status) => [status, count(status)])),
    wallMs: 12_000,
    guestCpuMs: 16_000,
    harnessCpuMs: 700,
    notes: [],
    ...fields,
  });
}
