import type { Accel } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult, Verdict } from '../model/verdict.ts';

const romName = (rom: Scenario['rom']): string =>
  typeof rom === 'string' ? rom : 'file' in rom ? rom.file : `${rom.kind}@${rom.set}`;

const nameOrFile = (value: string | { file: string } | { code: string }): string =>
  typeof value === 'string' ? value : 'file' in value ? value.file : value.code;

const transportName = (transport: Scenario['transport']): string =>
  typeof transport === 'string'
    ? transport
    : Object.entries(transport)
        .map(([fetch, name]) => `${fetch}=${name}`)
        .join('+');

/** The part of a result that the scenario alone decides. */
function describeScenario(scenario: Scenario, id: string) {
  return {
    id,
    group: scenario.group,
    title: scenario.title ?? null,
    arch: scenario.arch,
    firmware: nameOrFile(scenario.firmware),
    set: scenario.set,
    machine: scenario.machine,
    nic: scenario.nic,
    rom: romName(scenario.rom),
    secondStage: nameOrFile(scenario.secondStage),
    transport: transportName(scenario.transport),
    payload: scenario.payload,
    secureBoot: scenario.secureBoot,
    ipVersion: scenario.ipVersion,
    declaredConfiguration: scenario.configuration ?? null,
    expected: scenario.expect,
  };
}

const nothingSeen = {
  predictedConfiguration: null,
  observedConfiguration: null,
  lastStage: null,
  stoppedAt: null,
  failure: null,
  stages: [],
  findings: [],
  attempts: 0,
  durationMs: 0,
  guestCpuMs: 0,
  accel: null,
  inputs: [],
  directory: null,
};

/** A case that no guest was started for. */
export function unstartedResult(
  scenario: Scenario,
  id: string,
  status: 'not-run' | 'interrupted' | 'error',
  reason: string,
): CaseResult {
  return { ...describeScenario(scenario, id), ...nothingSeen, status, diagnosis: reason };
}

export interface Attempted {
  id: string;
  plan: Plan;
  verdict: Verdict;
  status: CaseResult['status'];
  accel: Accel;
  attempts: number;
  durationMs: number;
  guestCpuMs: number;
  /** Relative to the run's directory. */
  directory: string;
}

export function attemptedResult(attempted: Attempted): CaseResult {
  const { plan, verdict, id, ...rest } = attempted;
  const { status: _, ...seen } = verdict;
  return {
    ...describeScenario(plan.scenario, id),
    ...nothingSeen,
    ...seen,
    ...rest,
    predictedConfiguration: plan.prediction.configuration,
    inputs: plan.inputs,
  };
}
