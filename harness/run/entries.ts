import { join } from 'node:path';
import { HarnessError } from '../model/errors.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult } from '../model/verdict.ts';
import { makePlan, qemuProgramOf } from '../plan/plan.ts';
import { type PlanSources, resolveScenario } from '../plan/resolve.ts';
import type { Resolved } from '../plan/resolved.ts';
import { probeQemu, type QemuFacts } from '../vm/host.ts';
import { casesFolder, type RunRecord, readCaseResult } from './run-directory.ts';
import { repeatId } from './run-summary.ts';

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

/** The QEMU of each program that the cells need, or why there is none. */
export async function qemuFacts(cells: readonly Scenario[]): Promise<Map<string, QemuFacts | HarnessError>> {
  const programs = [...new Set(cells.map(({ arch }) => qemuProgramOf(arch)))];
  const facts = await Promise.all(
    programs.map((program) => probeQemu(program).catch((error: unknown) => error as HarnessError)),
  );
  return new Map(programs.map((program, index) => [program, facts[index] as QemuFacts | HarnessError]));
}

/** What a case needs of this host, or why the host cannot run it. */
export function startOf(
  { resolved, scenario: { nic } }: Pick<Entry, 'resolved' | 'scenario'>,
  qemu: QemuFacts | HarnessError | undefined,
): { resolved: Resolved; qemu: QemuFacts } | { obstacle: string } {
  if ('missing' in resolved) return { obstacle: resolved.missing };
  if (qemu === undefined || qemu instanceof HarnessError)
    return { obstacle: qemu?.message ?? 'there is no QEMU for it' };
  if (!qemu.devices.has(nic)) return { obstacle: `QEMU ${qemu.version} (${qemu.program}) has no device ${nic}` };
  return { resolved, qemu };
}
