import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { isShared } from '../model/provisioner.ts';
import { inTurn, type Reporter } from '../model/reporter.ts';
import type { Scenario } from '../model/scenario.ts';
import { type CaseResult, isReused, type RunResult } from '../model/verdict.ts';
import { openCapacity } from '../os/capacity.ts';
import { planMemoryMiB } from '../plan/argv.ts';
import { type AccelChoice, createAccelChooser } from '../vm/acceleration.ts';
import type { HostFacts, QemuProgram } from '../vm/host.ts';
import { ownCodeDigest } from './again/own-code.ts';
import { openReuse, type Reusable, type ReuseOptions } from './again/reuse.ts';
import { createAuthorities } from './authorities.ts';
import type { Intervene } from './boot/intervention.ts';
import { openCaseLengths, type RecordedLengths } from './case-lengths.ts';
import { missingResult, unstartedResult } from './case-result.ts';
import type { Elsewhere, HandedCase } from './elsewhere.ts';
import { examineHost, type ProgramReport } from './examine-host.ts';
import { type Entry, entriesOf, type Finding, qemuOf, startOf } from './prepare-cases.ts';
import { type ClaimedDirectory, claimRunDirectory, lockRunDirectory } from './records/claim-directory.ts';
import { casesFolder, type RunRecord, readRunRecord } from './records/run-directory.ts';
import { countStatuses, notesOf } from './records/run-summary.ts';
import { type CaseRun, runCase, templateOf } from './run-case.ts';
import type { RunHost } from './run-host.ts';
import { type Job, schedule } from './scheduler.ts';
import { shareServers } from './shared-servers.ts';
import { openTemplateStore, type TemplateStore, type TemplateStoreOptions } from './templates/template-store.ts';

export interface RunOptions extends RunHost, Finding {
  matrixName: string;
  cells: readonly Scenario[];
  /** A new folder, or one without a run; default: `.runs/<time>` in the current folder. */
  outDir?: string | undefined;
  /** Guests at once; default: as many as the host carries. */
  jobs?: number | undefined;
  accel: AccelChoice;
  /** Sets given by name or folder; recorded if there are several, since what differs between them is reported. */
  chosenSets?: readonly string[] | undefined;
  /** Which part of a selection the cells are; recorded, so that the parts can be merged. */
  shard?: RunRecord['shard'];
  /** Runs each cell this many times; from the second on the id ends in `~2`, `~3`, …. */
  repeat: number;
  /** Resumes the run in `outDir`: cells and repeat are read from it, finished cases are kept. */
  resume?: boolean | undefined;
  /** How long cells take that never ran here. */
  recordedLengths?: RecordedLengths | undefined;
  reporter: Reporter;
  /** A user at the guest's console; for a run of one cell. */
  terminal?: CaseRun['terminal'];
  intervene?: Intervene | undefined;
  /** Disk space for templates, and whether they outlive the run; undefined: every guest starts from power-on. */
  templates?: Pick<TemplateStoreOptions, 'limitBytes' | 'keep'> | undefined;
  /** An earlier run, whose records replace boots of cases whose inputs are all unchanged. */
  reuse?: ReuseOptions | undefined;
  /** Runs the cases on other machines than this one. */
  elsewhere?: Elsewhere | undefined;
  signal: AbortSignal;
}

/** What all cases of a run share. */
type Shared = Omit<CaseRun, 'id' | 'round' | 'directory' | 'found' | 'qemu' | 'onAttempt' | 'onStage'> & {
  reusable: Reusable | undefined;
};

/** A run in progress. */
interface Run {
  outDir: string;
  record: RunRecord;
  entries: readonly Entry[];
  programs: readonly ProgramReport[];
  reporter: Required<Reporter>;
  results: Map<string, CaseResult>;
}

const eachOnce = (qemus: readonly QemuProgram[]): QemuProgram[] => [
  ...new Map(qemus.map((qemu) => [qemu.program, qemu])).values(),
];

/** Starts the clocks of a run; returns what reads them. */
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

type Begun = ClaimedDirectory & Pick<Run, 'record' | 'entries'>;

async function resumed(outDir: string, options: RunOptions): Promise<Begun> {
  const record = readRunRecord(outDir);
  const lock = lockRunDirectory(outDir);
  try {
    return { outDir, lock, record, entries: await entriesOf(record, options, outDir) };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** Finds what the cases need, and only then creates a directory: a refused run leaves none. */
async function begin(options: RunOptions): Promise<Begun> {
  const { matrixName: matrix, cells, repeat, resume, outDir, shard, chosenSets: sets = [] } = options;
  if (resume && outDir !== undefined) return resumed(outDir, options);
  const record: RunRecord = {
    version: 1,
    matrix,
    startedAt: new Date().toISOString(),
    cells: [...cells],
    repeat,
    code: ownCodeDigest(),
    ...(options.setDirs?.length ? { setDirs: [...options.setDirs] } : {}),
    ...(sets.length > 1 ? { sets: [...sets] } : {}),
    ...(shard && { shard }),
  };
  const entries = await entriesOf(record, options);
  return { ...(await claimRunDirectory(record, outDir)), record, entries };
}

async function finish({ results, reporter }: Run, result: CaseResult): Promise<void> {
  results.set(result.id, result);
  await reporter.onCaseEnd(result);
}

const notElsewhere =
  'Its provisioner has the guests of a whole group, which has to be on one machine: run it without the farm.';

/** Finishes the cases that need no guest or can have none; returns the others. */
async function finishUnrunnable(run: Run, shared: Shared, isHere: boolean): Promise<CaseRun[]> {
  const { programs, reporter } = run;
  const left: CaseRun[] = [];
  for (const entry of run.entries) {
    const { id, round, scenario, kept } = entry;
    const qemu = programs.find(({ program }) => program === qemuOf(entry)?.program);
    const start = startOf(entry, qemu);
    if (kept) await finish(run, kept);
    else if ('missing' in entry.found) await finish(run, missingResult(entry, entry.found.missing));
    else if ('obstacle' in start) await finish(run, unstartedResult(entry, scenario, 'not-run', start.obstacle));
    else if (!isHere && isShared(scenario.provisioner))
      await finish(run, unstartedResult(entry, scenario, 'not-run', notElsewhere));
    else {
      const reused = await shared.reusable?.take({ ...shared, ...start, id, round });
      if (reused) {
        await finish(run, reused);
        continue;
      }
      left.push({
        ...shared,
        ...start,
        id,
        round,
        directory: join(casesFolder, id),
        onAttempt: (attempt) => void reporter.onCaseStart({ id, attempt }),
        onStage: (stage, atMs) => void reporter.onStage({ id, stage, atMs }),
      });
    }
  }
  return left;
}

/** Repeats are there to show what varies, the first included: each starts from power-on. */
const mayRestore = ({ templates }: RunOptions, { repeat }: RunRecord): boolean =>
  templates !== undefined && repeat === 1;

function openTemplates(options: RunOptions, record: RunRecord): TemplateStore | undefined {
  const { templates, templatesFolder: folder } = options;
  if (!templates || !folder || !mayRestore(options, record)) return undefined;
  // Within a run, more cases share a machine up to its first question than up to what it makes of the first offer.
  return openTemplateStore({ folder, ...templates, latest: templates.keep ? 'request' : 'question' });
}

/** The templates that more than one of these cases can start from. */
function sharedTemplates(cases: readonly CaseRun[]): Set<string> {
  const [seen, shared] = [new Set<string>(), new Set<string>()];
  for (const id of cases.map((one) => templateOf(one)?.id)) {
    if (id === undefined) continue;
    if (seen.has(id)) shared.add(id);
    seen.add(id);
  }
  return shared;
}

/** Templates are made where more than one of these cases can start from them. */
function expectTemplates(templates: TemplateStore, cases: readonly CaseRun[]): void {
  for (const one of cases) {
    const key = templateOf(one);
    if (key !== undefined) templates.expect(key);
  }
}

/** Runs a case; a bug of ours in one must not cost the others' results. */
async function runGuarded(run: CaseRun): Promise<CaseResult> {
  try {
    return await runCase(run);
  } catch (error) {
    const status = run.signal.aborted ? 'interrupted' : 'error';
    return unstartedResult(run, run.found.scenario, status, `The harness failed: ${(error as Error).message}`);
  } finally {
    // What it could not remove goes with the harness; this case is judged already.
    await run.server?.leave().catch(() => {});
  }
}

async function finishUnstarted(run: Run): Promise<void> {
  for (const entry of run.entries) {
    if (run.results.has(entry.id)) continue;
    const reason = 'The run ended before this case started.';
    await finish(run, unstartedResult(entry, entry.scenario, 'interrupted', reason));
  }
}

function resultOf(
  { record, entries, programs, results }: Run,
  host: HostFacts,
): Omit<RunResult, 'wallMs' | 'harnessCpuMs'> {
  const cases = entries.map(({ id }) => results.get(id) as CaseResult);
  const qemu = programs.map(({ program, facts, problem = '' }) => [program, facts?.version ?? problem]);
  return {
    version: 1,
    matrix: record.matrix,
    startedAt: record.startedAt,
    host: { ...host, qemu: Object.fromEntries(qemu) },
    cases,
    totals: countStatuses(cases),
    guestCpuMs: cases.reduce((sum, one) => sum + (isReused(one) ? 0 : one.run.guestCpuMs), 0),
    notes: notesOf(cases, record),
  };
}

/**
 * Runs cells and resolves to the run's result; every finished case is on disk before it is reported. Rejects with a
 * HarnessError, before anything is started, if the user's files or folders are unusable; and with what a reporter threw,
 * which ends the run as an interruption does.
 */
export async function runMatrix(options: RunOptions): Promise<RunResult> {
  const measured = startMeter();
  const failing = new AbortController();
  const failures: unknown[] = [];
  const reporter = inTurn(options.reporter, (error) => {
    failures.push(error);
    failing.abort();
  });
  const signal = AbortSignal.any([options.signal, failing.signal]);
  // Every running guest listens to it, and Node suspects a leak above ten listeners.
  setMaxListeners(Number.POSITIVE_INFINITY, signal);

  const { lock, ...begun } = await begin(options);
  using _ = lock;
  const capacity = openCapacity();
  const { host, programs } = await examineHost(
    eachOnce(begun.entries.flatMap((entry) => qemuOf(entry) ?? [])),
    capacity,
  );
  const run: Run = { ...begun, programs, reporter, results: new Map() };
  const lengths = openCaseLengths({ file: options.lengthsFile, recorded: options.recordedLengths });
  await reporter.onRunStart({
    matrix: run.record.matrix,
    outDir: run.outDir,
    total: run.entries.length,
    expected: Object.fromEntries(
      run.entries.filter(({ kept }) => kept === undefined).map(({ id, scenario }) => [id, lengths.of(scenario)]),
    ),
    cores: options.elsewhere?.cores ?? host.cores,
    jobs: options.jobs,
  });
  const { elsewhere } = options;
  const isHere = elsewhere === undefined;
  const templates = isHere ? openTemplates(options, run.record) : undefined;
  const shared: Shared = {
    outDir: run.outDir,
    fingerprints: options.fingerprints,
    setDirs: options.setDirs ?? [],
    accel: createAccelChooser({ choice: options.accel, cacheFile: options.accelCacheFile, signal }),
    authorities: createAuthorities(),
    terminal: options.terminal,
    intervene: options.intervene,
    templates,
    signal,
    reusable: options.reuse && openReuse(options.reuse),
  };
  const left = await finishUnrunnable(run, shared, isHere);
  if (templates) expectTemplates(templates, left);
  const lengthOf = (one: CaseRun) => lengths.of(one.found.scenario).durationMs;
  const handedOver = (cases: readonly CaseRun[]): HandedCase[] => {
    const often = mayRestore(options, run.record) ? sharedTemplates(cases) : new Set<string>();
    return cases.map((one) => ({
      run: one,
      lengthMs: lengthOf(one),
      sharesStart: often.has(templateOf(one)?.id ?? ''),
      finish: (result) => finish(run, result),
    }));
  };
  const notes = await elsewhere?.run(handedOver(left), signal);
  await using servers = shareServers(left, { outDir: run.outDir, signal });
  const jobs = left.map(
    (one): Job => ({
      memoryMiB: planMemoryMiB(one.found.scenario),
      length: lengthOf(one),
      run: async () => finish(run, await runGuarded({ ...one, server: servers.of(one) })),
    }),
  );
  if (isHere) await schedule(jobs, { jobs: options.jobs, signal, capacity });
  templates?.close();
  await finishUnstarted(run);

  const whole = resultOf(run, host);
  const result = { ...whole, notes: [...whole.notes, ...(notes ?? [])], ...measured() };
  await lengths.learn(result.cases);
  await reporter.onRunEnd(result);
  if (failures.length > 0) throw failures[0];
  return result;
}
