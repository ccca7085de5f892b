import type { Plan } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import { makePlan } from '../plan/plan.ts';
import { findCase } from '../run/found-case.ts';
import type { Artefacts } from './artefacts.ts';

/** Placeholder for the nonce of a run. */
const shownNonce = '000000000000';

/** The plan of a case, or why it cannot be run here. */
export async function planCase(cell: Scenario, artefacts: Artefacts): Promise<Plan | { missing: string }> {
  const found = await findCase(cell, artefacts);
  await artefacts.fingerprints.save();
  return 'missing' in found ? found : makePlan({ ...found, nonce: shownNonce });
}
