import type { Accel } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult, Status, Verdict } from '../model/verdict.ts';

/** Which case: its id, and which repeat of its cell. */
export interface CaseName {
  id: string;
  round: number;
}

/** A case for which no guest was started. */
export function unstartedResult(
  { id, round }: CaseName,
  scenario: Scenario,
  status: Extract<Status, 'not-run' | 'waiting' | 'interrupted' | 'error'>,
  reason: string,
): CaseResult {
  return {
    id,
    round,
    scenario,
    verdict: {
      status,
      stages: [],
      lastStage: null,
      stoppedAt: null,
      failure: null,
      observedConfiguration: null,
      diagnosis: reason,
      findings: [],
    },
    run: {
      directory: null,
      attempts: [],
      durationMs: 0,
      guestCpuMs: 0,
      accel: null,
      inputs: [],
      predictedConfiguration: null,
    },
  };
}

/** A case whose files are missing: it waits for a set of the user's, or something is wrong. */
export function missingResult(name: CaseName & { scenario: Scenario }, missing: string): CaseResult {
  const { scenario } = name;
  return scenario.waitsFor === undefined
    ? unstartedResult(name, scenario, 'not-run', missing)
    : unstartedResult(
        name,
        scenario,
        'waiting',
        `It waits for ${scenario.waitsFor}, which only a set of yours can have.`,
      );
}

export interface Attempted extends CaseName {
  plan: Plan;
  verdict: Verdict;
  accel: Accel;
  attempts: CaseResult['run']['attempts'];
  durationMs: number;
  guestCpuMs: number;
  savedCpuMs?: number;
  /** Relative to the run's directory. */
  directory: string;
}

export function attemptedResult({ id, round, plan, verdict, ...run }: Attempted): CaseResult {
  return {
    id,
    round,
    scenario: plan.scenario,
    verdict,
    run: { ...run, inputs: plan.inputs, predictedConfiguration: plan.prediction.configuration },
  };
}
