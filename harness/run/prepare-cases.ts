import { join } from 'node:path';
import { repeatId } from '../model/case-id.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult } from '../model/verdict.ts';
import { makePlan } from '../plan/plan.ts';
import { type PlanSources, resolveScenario } from '../resolve/resolve.ts';
import type { QemuFacts } from '../vm/host.ts';
import type { ProgramReport } from './examine-host.ts';
import { casesFolder, type RunRecord, readCaseResult } from './run-directory.ts';

/** A case of a run before it starts; `kept` is its result of a run that is gone on with. */
export interface Entry {
  id: string;
  scenario: Scenario;
  resolved: Resolved | { missing: string };
  kept: CaseResult | undefined;
}

/** A case whose first attempt may stand: everything but what never came to a verdict. */
const final = (result: CaseResult | undefined): boolean =>
  result !== undefined && !['interrupted', 'error', 'not-run'].includes(result.status);

/** Every case of a run, its files found. Rejects where those that the matrix names are not there or cannot be served. */
export async function entriesOf(
  { cells, repeat }: RunRecord,
  host: PlanSources,
  { outDir, resume }: { outDir: string; resume: boolean },
): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const scenario of cells) {
    const resolved = await resolveScenario(scenario, host);
    // What a plan refuses it refuses with any nonce.
    if (!('missing' in resolved)) makePlan(scenario, resolved, '0');
    for (let round = 1; round <= repeat; round++) {
      const id = repeatId(scenario.id, round);
      const kept = resume ? readCaseResult(join(outDir, casesFolder, id)) : undefined;
      entries.push({ id, scenario, resolved, kept: final(kept) ? kept : undefined });
    }
  }
  await host.fingerprints.save();
  return entries;
}

/** What a case needs of this host, or why the host cannot run it. */
export function startOf(
  { resolved, scenario: { nic } }: Pick<Entry, 'resolved' | 'scenario'>,
  qemu: ProgramReport | undefined,
): { resolved: Resolved; qemu: QemuFacts } | { obstacle: string } {
  if ('missing' in resolved) return { obstacle: resolved.missing };
  const facts = qemu?.facts;
  if (facts === undefined) return { obstacle: qemu?.problem ?? 'there is no QEMU for it' };
  if (!facts.devices.has(nic)) return { obstacle: `QEMU ${facts.version} (${facts.program}) has no device ${nic}` };
  return { resolved, qemu: facts };
}
