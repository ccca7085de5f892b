import { join } from 'node:path';
import type { Fingerprints } from '../assets/fingerprint.ts';
import type { Inspections } from '../assets/inspections.ts';
import type { ArtefactSets } from '../assets/sets.ts';
import { HarnessError } from '../model/errors.ts';
import type { Reporter } from '../model/reporter.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult, RunResult } from '../model/verdict.ts';
import { planMemoryMiB } from '../plan/argv.ts';
import { qemuProgramOf } from '../plan/plan.ts';
import { resolveScenario } from '../plan/resolve.ts';
import type { Resolved } from '../plan/resolved.ts';
import { createContentCache } from '../services/tree/content-cache.ts';
import { type AccelChoice, createAccelChooser } from '../vm/acceleration.ts';
import { describeHost, probeQemu, type QemuFacts } from '../vm/host.ts';
import { createAuthorities } from './authorities.ts';
import { writeJson } from './case-directory.ts';
import { openCaseLengths } from './case-lengths.ts';
import { unstartedResult } from './case-result.ts';
import { cpuPressure } from './cpu-load.ts';
import { follow } from './follow.ts';
import { type CaseRun, runCase } from './run-case.ts';
import {
  casesFolder,
  claimRunDirectory,
  type RunRecord,
  readCaseResult,
  readRunRecord,
  runRecordFile,
} from './run-directory.ts';
import { agreementNotes, countStatuses, repeatId } from './run-summary.ts';
import { type Job, schedule } from './scheduler.ts';

export interface RunHost {
  sets: ArtefactSets;
  fingerprints: Fingerprints;
  inspections: Pick<Inspections, 'of'>;
  /** Where probe boots are remembered. */
  accelCacheFile?: string;
  /** Where the lengths of cases are remembered, so that long ones start first. */
  lengthsFile?: string;
}

export interface RunOptions extends RunHost {
  matrixName: string;
  cells: readonly Scenario[];
  outDir: string;
  /** As many at once as the host carries, unless given. */
  jobs?: number | undefined;
  accel: AccelChoice;
  /** Each cell this many times; from the second on its id ends in `~2`, `~3`, …. */
  repeat: number;
  /** Goes on with the run in `outDir`: cells and repeat are read from it, finished cases are kept. */
  resume?: boolean | undefined;
  reporter: Reporter;
  /** A person at the console of the guest; for a run of one cell. */
  terminal?: CaseRun['terminal'];
  signal: AbortSignal;
}

interface Entry {
  id: string;
  scenario: Scenario;
  resolved: Resolved | { missing: string };
  kept: CaseResult | undefined;
}

/** A case whose first attempt may stand: everything but what never came to a verdict. */
const final = (result: CaseResult | undefined): boolean =>
  result !== undefined && !['interrupted', 'error', 'not-run'].includes(result.status);

async function qemuFacts(cells: readonly Scenario[]): Promise<Map<string, QemuFacts | HarnessError>> {
  const programs = [...new Set(cells.map(({ arch }) => qemuProgramOf(arch)))];
  const facts = await Promise.all(
    programs.map((program) => probeQemu(program).catch((error: unknown) => error as HarnessError)),
  );
  return new Map(programs.map((program, index) => [program, facts[index] as QemuFacts | HarnessError]));
}

/** Why this host cannot run a case, before anything is tried. */
function obstacle({ resolved, scenario }: Entry, qemu: QemuFacts | HarnessError | undefined): string | undefined {
  if ('missing' in resolved) return resolved.missing;
  if (qemu === undefined || qemu instanceof HarnessError) return qemu?.message ?? 'there is no QEMU for it';
  if (!qemu.devices.has(scenario.nic)) return `QEMU ${qemu.version} (${qemu.program}) has no device ${scenario.nic}`;
  return undefined;
}

/**
 * Runs cells and resolves to the run's result; every finished case is on disk before the next line of it. Rejects
 * with a HarnessError before anything is started where the user's own files or folders are not right, and with
 * what a reporter threw, which ends the run as an interruption does.
 */
export async function runMatrix(options: RunOptions): Promise<RunResult> {
  const { outDir } = options;
  const failing = new AbortController();
  const { reporter, failure } = follow(options.reporter, () => failing.abort());
  const signal = AbortSignal.any([options.signal, failing.signal]);
  const startedAt = new Date().toISOString();
  const started = performance.now();
  const cpuAtStart = process.cpuUsage();

  const record: RunRecord = options.resume
    ? readRunRecord(outDir)
    : { version: 1, matrix: options.matrixName, startedAt, cells: [...options.cells], repeat: options.repeat };
  if (!options.resume) claimRunDirectory(outDir);

  const entries: Entry[] = [];
  for (const scenario of record.cells) {
    const resolved = await resolveScenario(scenario, options);
    for (let round = 1; round <= record.repeat; round++) {
      const id = repeatId(scenario.id, round);
      const kept = options.resume ? readCaseResult(join(outDir, casesFolder, id)) : undefined;
      entries.push({ id, scenario, resolved, kept: final(kept) ? kept : undefined });
    }
  }
  await options.fingerprints.save();
  if (!options.resume) writeJson(join(outDir, runRecordFile), record);
  const facts = await qemuFacts(record.cells);
  await reporter.onRunStart({ matrix: record.matrix, outDir, total: entries.length });

  const results = new Map<string, CaseResult>();
  const finish = async (result: CaseResult): Promise<void> => {
    results.set(result.id, result);
    await reporter.onCaseEnd(result);
  };
  const accel = createAccelChooser(options.accel, options.accelCacheFile);
  const cache = createContentCache();
  const authorities = createAuthorities();
  const lengths = openCaseLengths(options.lengthsFile);
  const jobs: Job[] = [];

  for (const entry of entries) {
    const { id, scenario, resolved, kept } = entry;
    const qemu = facts.get(qemuProgramOf(scenario.arch));
    const reason = obstacle(entry, qemu);
    if (kept) await finish(kept);
    else if (reason !== undefined) await finish(unstartedResult(scenario, id, 'not-run', reason));
    else {
      jobs.push({
        memoryMiB: planMemoryMiB(scenario),
        length: lengths.of(scenario),
        run: async () => {
          const run = {
            id,
            scenario,
            resolved: resolved as Resolved,
            qemu: qemu as QemuFacts,
            outDir,
            directory: join(casesFolder, id),
            accel,
            cache,
            authorities,
            pressure: cpuPressure,
            onAttempt: (attempt: number) => void reporter.onCaseStart({ id, attempt }),
            onStage: (stage: Parameters<NonNullable<Reporter['onStage']>>[0]['stage'], atMs: number) =>
              void reporter.onStage({ id, stage, atMs }),
            terminal: options.terminal,
            signal,
          };
          // One case that trips over a fault of ours must not take the others' results with it.
          const result = await runCase(run).catch((error: unknown) =>
            unstartedResult(
              scenario,
              id,
              signal.aborted ? 'interrupted' : 'error',
              `The harness failed: ${(error as Error).message}`,
            ),
          );
          await finish(result);
        },
      });
    }
  }
  await schedule(jobs, { jobs: options.jobs, signal });

  for (const { id, scenario } of entries) {
    if (!results.has(id))
      await finish(unstartedResult(scenario, id, 'interrupted', 'The run ended before this case started.'));
  }
  const cases = entries.map(({ id }) => results.get(id) as CaseResult);
  lengths.learn(cases);
  const cpu = process.cpuUsage(cpuAtStart);
  const result: RunResult = {
    version: 1,
    matrix: record.matrix,
    startedAt: record.startedAt,
    host: {
      ...describeHost(),
      qemu: Object.fromEntries(
        [...facts].map(([program, fact]) => [program, fact instanceof HarnessError ? fact.message : fact.version]),
      ),
    },
    cases,
    totals: countStatuses(cases),
    wallMs: Math.round(performance.now() - started),
    guestCpuMs: cases.reduce((sum, { guestCpuMs }) => sum + guestCpuMs, 0),
    harnessCpuMs: Math.round((cpu.user + cpu.system) / 1000),
    notes: agreementNotes(cases, record.repeat),
  };
  await reporter.onRunEnd(result);
  const failed = failure();
  if (failed) throw failed.error;
  return result;
}
