import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { planStagePath } from '../plan/stage-path.ts';
import type { Prediction } from '../predict/predict.ts';
import { predictScenario } from '../predict/predict-scenario.ts';
import { resolveScenario } from '../resolve/resolve.ts';
import type { ArtefactSources } from '../resolve/resolving.ts';

/** A scenario, its files found and looked into: all that a plan is made from but the nonce. */
export interface FoundCase {
  scenario: Scenario;
  resolved: Resolved;
  prediction: Prediction;
}

/** Finds a scenario's files and says what inspection foresees; the reason where one is missing. */
export async function findCase(scenario: Scenario, sources: ArtefactSources): Promise<FoundCase | { missing: string }> {
  const resolved = await resolveScenario(scenario, sources);
  if ('missing' in resolved) return resolved;
  const parts = { resolved, stagePath: planStagePath(scenario, resolved) };
  return { scenario, resolved, prediction: await predictScenario(scenario, parts, sources.inspections) };
}
