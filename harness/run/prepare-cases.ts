import { join } from 'node:path';
import { repeatId } from '../model/case-id.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult } from '../model/verdict.ts';
import { makePlan } from '../plan/plan.ts';
import type { ArtefactSources } from '../resolve/resolving.ts';
import type { QemuFacts, QemuProgram } from '../vm/host.ts';
import type { ProgramReport } from './examine-host.ts';
import { type FoundCase, findCase } from './found-case.ts';
import { newNonce } from './new-nonce.ts';
import { pathInside } from './records/inside.ts';
import { casesFolder, type RunRecord, readCaseResult } from './records/run-directory.ts';

/** A case of a run before it starts; `kept` is its result from before the run was resumed. */
export interface Entry {
  id: string;
  /** Which repeat of its cell, from 1. */
  round: number;
  scenario: Scenario;
  found: FoundCase | { missing: string };
  kept: CaseResult | undefined;
}

export interface Finding {
  /** Finds the files of a cell; default: in its sets. */
  find?: typeof findCase | undefined;
}

/** Whether an earlier result can be kept: all but those that never came to a verdict. */
const final = (result: CaseResult | undefined): boolean =>
  result !== undefined && !['interrupted', 'error', 'not-run', 'waiting'].includes(result.verdict.status);

/**
 * Every case of a run, with its files found; `resumed` is the directory of the run being resumed. Rejects if files that the
 * matrix names are missing or cannot be served. Repeats share what was found, and plans are made when guests start: a run
 * of a hundred thousand cases fits in memory.
 */
export async function entriesOf(
  { cells, repeat }: Pick<RunRecord, 'cells' | 'repeat'>,
  host: ArtefactSources & Finding,
  resumed?: string,
): Promise<Entry[]> {
  const { find = findCase } = host;
  const entries: Entry[] = [];
  for (const scenario of cells) {
    const found = await find(scenario, host);
    // What cannot be planned is refused before anything starts.
    if (!('missing' in found)) makePlan({ ...found, nonce: newNonce() });
    for (let round = 1; round <= repeat; round++) {
      const id = repeatId(scenario.id, round);
      const kept = resumed === undefined ? undefined : readCaseResult(pathInside(resumed, join(casesFolder, id)));
      entries.push({ id, round, scenario, found, kept: final(kept) ? kept : undefined });
    }
  }
  await host.fingerprints.save();
  return entries;
}

/** The QEMU a case runs on; undefined for one that cannot run anyway. */
export const qemuOf = ({ found }: Pick<Entry, 'found'>): QemuProgram | undefined =>
  'missing' in found ? undefined : found.resolved.qemu;

/** What a case needs from this host, or why the host cannot run it. */
export function startOf(
  { found, scenario: { nic } }: Pick<Entry, 'found' | 'scenario'>,
  qemu: ProgramReport | undefined,
): { found: FoundCase; qemu: QemuFacts } | { obstacle: string } {
  if ('missing' in found) return { obstacle: found.missing };
  const facts = qemu?.facts;
  if (facts === undefined) return { obstacle: qemu?.problem ?? 'there is no QEMU for it' };
  if (!facts.devices.has(nic)) return { obstacle: `QEMU ${facts.version} (${facts.program}) has no device ${nic}` };
  return { found, qemu: facts };
}
