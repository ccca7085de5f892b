import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { createInspections } from '../../harness/assets/inspections.ts';
import { loadSets } from '../../harness/assets/sets/sets.ts';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import type { Plan } from '../../harness/model/plan.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import type { RunResult } from '../../harness/model/verdict.ts';
import { makePlan } from '../../harness/plan/plan.ts';
import { findCase } from '../../harness/run/found-case.ts';
import type { RunHost } from '../../harness/run/run-host.ts';
import { type RunOptions, runMatrix } from '../../harness/run/run-matrix.ts';
import { findIsolation } from '../../harness/services/provisioner/isolation.ts';

const cacheDir = fileURLToPath(new URL('../../.cache', import.meta.url));

/** This machine's artefacts, as set-up left them. */
export async function openHost(): Promise<RunHost> {
  const fingerprints = createFingerprints({ cacheFile: join(cacheDir, 'fingerprints.json') });
  return {
    sets: await loadSets({ cacheDir, setDirs: [] }),
    fingerprints,
    inspections: createInspections({ fingerprints, cacheFile: join(cacheDir, 'inspections.json') }),
    isolation: findIsolation,
  };
}

/** SeaBIOS and a NIC whose ROM boots a script: the cheapest case there is. */
export const bios = { arch: 'x86_64', firmware: 'seabios', nic: 'e1000' } as const;
/** A guest that QEMU never lets run: it costs nothing and says nothing. */
export const frozen = { ...bios, rom: 'none', qemuArgs: ['-S'] } as const;

export function cellsOf(...groups: object[]): Scenario[] {
  return expandMatrix(parseMatrix({ name: 'test', groups }, 'test')).cells;
}

export async function planOf(scenario: Scenario, host: RunHost): Promise<Plan> {
  const found = await findCase(scenario, host);
  if ('missing' in found) throw new Error(found.missing);
  return makePlan({ ...found, nonce: '0123456789ab' });
}

/** `runMatrix` with what most tests do not care about filled in. */
export async function runCells(
  outDir: string,
  cells: readonly Scenario[],
  options: Partial<RunOptions> = {},
): Promise<RunResult> {
  return runMatrix({
    ...(await openHost()),
    matrixName: 'test',
    cells,
    outDir,
    jobs: 1,
    accel: 'tcg',
    repeat: 1,
    reporter: {},
    signal: new AbortController().signal,
    ...options,
  });
}
