import { type CaseResult, type RunResult, runResultSchema, statuses } from '../../harness/model/verdict.ts';

export function sampleCase(fields: Partial<CaseResult> = {}): CaseResult {
  const { id = 'bios.x86_64.pc.seabios.e1000.bundled' } = fields;
  return {
    id,
    group: 'bios',
    title: null,
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
    declaredConfiguration: 2,
    predictedConfiguration: null,
    observedConfiguration: 2,
    status: 'passed',
    expected: { reaches: 'last' },
    lastStage: 'config',
    stoppedAt: null,
    failure: null,
    stages: [
      { stage: 'firmware', reached: true, atMs: 400, evidence: 'seabios-banner: SeaBIOS (version 1.16.2)' },
      { stage: 'config', reached: true, atMs: 5600, evidence: 'token: netboot-ok:0123' },
    ],
    diagnosis: null,
    findings: [],
    attempts: 1,
    durationMs: 5800,
    guestCpuMs: 600,
    accel: 'tcg',
    inputs: [],
    directory: `cases/${id}`,
    ...fields,
  };
}

export const stoppedCase = sampleCase({
  id: 'uefi.x86_64.q35.ovmf.e1000.none',
  group: 'uefi',
  firmware: 'ovmf',
  machine: 'q35',
  rom: 'none',
  declaredConfiguration: 6,
  observedConfiguration: null,
  expected: { stopsAt: 'dhcp', failure: 'uefi-shell', reason: 'no driver for e1000' },
  lastStage: 'firmware',
  stoppedAt: 'dhcp',
  failure: { rule: 'uefi-shell', atMs: 3900, text: 'Shell>' },
  diagnosis: 'UEFI shell reached without a network boot option',
});

export const failedCase = sampleCase({
  id: 'bios.x86_64.pc.seabios.pcnet.bundled',
  nic: 'pcnet',
  status: 'failed',
  lastStage: 'firmware',
  stoppedAt: 'dhcp',
  failure: { rule: 'no-bootable-device', atMs: 4000, text: 'No bootable device.' },
  diagnosis: 'no DHCP; the last thing seen was "No bootable device."',
  stages: [
    { stage: 'firmware', reached: true, atMs: 400, evidence: 'seabios-banner' },
    { stage: 'dhcp', reached: false, atMs: null, evidence: null },
  ],
});

export const notRunCase = sampleCase({
  id: 'arm.aarch64.virt.aavmf.e1000.snp',
  group: 'arm',
  arch: 'aarch64',
  firmware: 'aavmf',
  machine: 'virt',
  rom: 'snp',
  declaredConfiguration: 5,
  observedConfiguration: null,
  status: 'not-run',
  lastStage: null,
  stages: [],
  diagnosis: 'no such ROM in set host',
  durationMs: 0,
  guestCpuMs: 0,
  accel: null,
  directory: null,
});

export function sampleRun(cases: CaseResult[], fields: Partial<RunResult> = {}): RunResult {
  const count = (status: CaseResult['status']) => cases.filter((one) => one.status === status).length;
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
