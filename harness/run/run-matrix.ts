import { join } from 'node:path';
import type { Fingerprints } from '../assets/fingerprint.ts';
import type { Inspections } from '../assets/inspections.ts';
import type { ArtefactSets } from '../assets/sets/sets.ts';
import { inTurn, type Reporter } from '../model/reporter.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult, RunResult } from '../model/verdict.ts';
import { openCapacity } from '../os/capacity.ts';
import { planMemoryMiB } from '../plan/argv.ts';
import { type AccelChoice, createAccelChooser } from '../vm/acceleration.ts';
import type { QemuProgram } from '../vm/host.ts';
import { createAuthorities } from './authorities.ts';
import { writeRecord } from './case-directory.ts';
import { openCaseLengths } from './case-lengths.ts';
import { unstartedResult } from './case-result.ts';
import { cpuPressure } from './cpu-pressure.ts';
import { examineHost } from './examine-host.ts';
import type { Intervene } from './intervention.ts';
import { entriesOf, qemuOf, startOf } from './prepare-cases.ts';
import { type CaseRun, runCase } from './run-case.ts';
import { casesFolder, claimRunDirectory, type RunRecord, readRunRecord, runRecordFile } from './run-directory.ts';
import { agreementNotes, countStatuses } from './run-summary.ts';
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
  intervene?: Intervene | undefined;
  signal: AbortSignal;
}

/** The record of a run begun before, or of a new one; `outDir` is not written to yet. */
function recordOf({ resume, outDir, matrixName, cells, repeat }: RunOptions, startedAt: string): RunRecord {
  return resume ? readRunRecord(outDir) : { version: 1, matrix: matrixName, startedAt, cells: [...cells], repeat };
}

/** Runs a case; one that trips over a fault of ours must not take the others' results with it. */
function runGuarded(run: CaseRun): Promise<CaseResult> {
  return runCase(run).catch((error: unknown) => {
    const status = run.signal.aborted ? 'interrupted' : 'error';
    return unstartedResult(run, run.found.scenario, status, `The harness failed: ${(error as Error).message}`);
  });
}

const eachOnce = (qemus: readonly QemuProgram[]): QemuProgram[] => [
  ...new Map(qemus.map((qemu) => [qemu.program, qemu])).values(),
];

/** Starts the clocks of a run; what is given back takes their readings. */
function startMeter(): () => Pick<RunResult, 'wallMs' | 'harnessCpuMs'> {
  const started = performance.now();
  const cpuAtStart = process.cpuUsage();
  return () => {
    const cpu = process.cpuUsage(cpuAtStart);
    return {
      wallMs: Math.round(performance.now() - started),
      harnessCpuMs: Math.round((cpu.user + cpu.system) / 1000),
    };
  };
}

/**
 * Runs cells and resolves to the run's result; every finished case is on disk before the next line of it. Rejects
 * with a HarnessError before anything is started where the user's own files or folders are not right, and with
 * what a reporter threw, which ends the run as an interruption does.
 */
export async function runMatrix(options: RunOptions): Promise<RunResult> {
  const { outDir } = options;
  const failing = new AbortController();
  const failures: unknown[] = [];
  const reporter = inTurn(options.reporter, (error) => {
    failures.push(error);
    failing.abort();
  });
  const signal = AbortSignal.any([options.signal, failing.signal]);
  const measured = startMeter();

  const record = recordOf(options, new Date().toISOString());
  const entries = await entriesOf(record, options, { outDir, resume: options.resume ?? false });
  if (!options.resume) {
    claimRunDirectory(outDir);
    await writeRecord(join(outDir, runRecordFile), record);
  }
  const capacity = openCapacity();
  const { host, programs } = await examineHost(eachOnce(entries.flatMap((entry) => qemuOf(entry) ?? [])), capacity);
  await reporter.onRunStart({ matrix: record.matrix, outDir, total: entries.length });

  const results = new Map<string, CaseResult>();
  const finish = async (result: CaseResult): Promise<void> => {
    results.set(result.id, result);
    await reporter.onCaseEnd(result);
  };
  const shared = {
    outDir,
    fingerprints: options.fingerprints,
    accel: createAccelChooser(options.accel, options.accelCacheFile),
    authorities: createAuthorities(),
    pressure: cpuPressure,
    terminal: options.terminal,
    intervene: options.intervene,
    signal,
  };
  const lengths = openCaseLengths(options.lengthsFile);
  const jobs: Job[] = [];
  for (const entry of entries) {
    const { id, round, scenario, kept } = entry;
    const qemu = programs.find(({ program }) => program === qemuOf(entry)?.program);
    const start = startOf(entry, qemu);
    if (kept) await finish(kept);
    else if ('obstacle' in start) await finish(unstartedResult(entry, scenario, 'not-run', start.obstacle));
    else {
      const run: CaseRun = {
        ...shared,
        ...start,
        id,
        round,
        directory: join(casesFolder, id),
        onAttempt: (attempt) => void reporter.onCaseStart({ id, attempt }),
        onStage: (stage, atMs) => void reporter.onStage({ id, stage, atMs }),
      };
      jobs.push({
        memoryMiB: planMemoryMiB(scenario),
        length: lengths.of(scenario),
        run: async () => finish(await runGuarded(run)),
      });
    }
  }
  await schedule(jobs, { jobs: options.jobs, signal, capacity });

  for (const entry of entries) {
    if (!results.has(entry.id))
      await finish(unstartedResult(entry, entry.scenario, 'interrupted', 'The run ended before this case started.'));
  }
  const cases = entries.map(({ id }) => results.get(id) as CaseResult);
  await lengths.learn(cases);
  const result: RunResult = {
    version: 1,
    matrix: record.matrix,
    startedAt: record.startedAt,
    host: {
      ...host,
      qemu: Object.fromEntries(
        programs.map(({ program, facts, problem = '' }) => [program, facts?.version ?? problem]),
      ),
    },
    cases,
    totals: countStatuses(cases),
    guestCpuMs: cases.reduce((sum, { run }) => sum + run.guestCpuMs, 0),
    ...measured(),
    notes: agreementNotes(cases, record.repeat),
  };
  await reporter.onRunEnd(result);
  if (failures.length > 0) throw failures[0];
  return result;
}
