import { bootsOf } from '../model/boots.ts';
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
  /** Each boot, if there are several; what is above is the first's, with the inputs of all. */
  boots?: readonly FoundCase[];
}

/** Every boot of a scenario, found by `find`, as one case; the reason if one lacks something. */
export async function foundBoots<Found extends { resolved: Resolved }>(
  scenario: Scenario,
  find: (boot: Scenario) => Promise<Found | { missing: string }>,
): Promise<(Found & { boots?: readonly Found[] }) | { missing: string }> {
  if (scenario.boots === undefined) return find(scenario);
  const boots: Found[] = [];
  for (const boot of bootsOf(scenario)) {
    const found = await find(boot);
    if ('missing' in found) return found;
    boots.push(found);
  }
  const first = boots[0] as Found;
  const inputs = boots.flatMap(({ resolved }) => resolved.inputs);
  const distinct = [...new Map(inputs.map((input) => [`${input.role} ${input.path}`, input])).values()];
  return { ...first, resolved: { ...first.resolved, inputs: distinct }, boots };
}

/** Finds a scenario's files and predicts from their inspection; the reason if one is missing. */
export async function findCase(scenario: Scenario, sources: ArtefactSources): Promise<FoundCase | { missing: string }> {
  const found = await foundBoots(scenario, async (boot) => {
    const resolved = await resolveScenario(boot, sources);
    return 'missing' in resolved ? resolved : predicted(boot, resolved, sources.inspections);
  });
  return 'missing' in found ? found : { ...found, scenario };
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
