import type { Plan } from '../model/plan.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { planStagePath } from '../plan/stage-path.ts';
import type { Prediction } from '../predict/predict.ts';
import { predictScenario } from '../predict/predict-scenario.ts';
import { resolveScenario } from '../resolve/resolve.ts';
import type { ArtefactSources } from '../resolve/resolving.ts';

/** A scenario with its files found and inspected: all that a plan is made from except the nonce. */
export interface FoundCase {
  scenario: Scenario;
  resolved: Resolved;
  prediction: Prediction;
}

/** A found case with the plan of its first guest; the plan of each further one differs from it in the nonce. */
export interface ReadyCase extends FoundCase {
  plan: Plan;
}

/** Finds a scenario's files and predicts from their inspection; the reason if one is missing. */
export async function findCase(scenario: Scenario, sources: ArtefactSources): Promise<FoundCase | { missing: string }> {
  const resolved = await resolveScenario(scenario, sources);
  if ('missing' in resolved) return resolved;
  return predicted(scenario, resolved, sources.inspections);
}

/** A scenario and its files, with what they predict. */
export async function predicted(
  scenario: Scenario,
  resolved: Resolved,
  inspections: ArtefactSources['inspections'],
): Promise<FoundCase> {
  const parts = { resolved, stagePath: planStagePath(scenario, resolved) };
  return { scenario, resolved, prediction: await predictScenario(scenario, parts, inspections) };
}
