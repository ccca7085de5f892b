import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { verdictOver } from '../judge/attempts.ts';
import { judge } from '../judge/judge.ts';
import { isSameRecord } from '../model/canonical-json.ts';
import { HarnessError } from '../model/errors.ts';
import { type Plan, planSchema } from '../model/plan.ts';
import type { CaseResult, Verdict } from '../model/verdict.ts';
import { unpackZip } from '../os/unpack-zip.ts';
import { makePlan } from '../plan/plan.ts';
import { mapTexts } from '../run/again/same-case.ts';
import { bundleLimits } from '../run/bundle/bundle-format.ts';
import { attemptedResult, unstartedResult } from '../run/case-result.ts';
import { attemptDirectory, caseFiles, startedQemuSchema, writeRecord } from '../run/records/case-directory.ts';
import { emptyDirectoryInside, pathInside } from '../run/records/inside.ts';
import { reproScript } from '../run/records/repro-script.ts';
import { attemptDirectoriesOf, readEvents, readPlan, readStartedQemu } from '../run/records/run-directory.ts';
import type { CaseRun } from '../run/run-case.ts';
import type { Content, FileStore } from './file-store.ts';
import type { CellResult } from './messages.ts';
import { pathsOf } from './paths.ts';

const untrue = (worker: string, what: string): HarnessError =>
  new HarnessError('farm-failed', `worker ${worker} ran another case than was asked for: ${what}`, {
    hint: 'Look at that worker: its records are not used.',
  });

/** Puts our paths in the place of the worker's; commas are doubled in QEMU's options. */
function inOurPaths(theirs: readonly string[], run: CaseRun, worker: string): (text: string) => string {
  const ours = pathsOf(run.found);
  if (ours.length !== theirs.length) throw untrue(worker, `it used ${theirs.length} files, expected ${ours.length}`);
  const doubled = (path: string) => path.replaceAll(',', ',,');
  const names = new Map<string, string>();
  for (const [nth, path] of theirs.entries()) {
    if (path === '') continue;
    names.set(doubled(path), doubled(ours[nth] as string));
    names.set(path, ours[nth] as string);
  }
  const longestFirst = [...names].sort(([a], [b]) => b.length - a.length);
  return (text) => {
    // In one pass: our path of one file may contain their path of another.
    let done = '';
    for (let at = 0; at < text.length; ) {
      const found = longestFirst.find(([name]) => text.startsWith(name, at));
      done += found?.[1] ?? text[at];
      at += found?.[0].length ?? 1;
    }
    return done;
  };
}

/** The plan as this machine makes it with the worker's nonce; the worker's must be the same. */
function ownPlan(directory: string, run: CaseRun, { worker, change }: Checking): Plan {
  const theirs = readPlan(directory);
  if (!/^[0-9a-f]{12}$/.test(theirs.nonce)) throw untrue(worker, `its nonce is ${theirs.nonce}`);
  const ours = makePlan({ ...run.found, nonce: theirs.nonce });
  const recorded = planSchema.parse(JSON.parse(JSON.stringify(ours)));
  const mapped = mapTexts(theirs, change) as Plan;
  const parts = Object.keys(recorded) as (keyof Plan)[];
  const different = parts.find((part) => !isSameRecord(recorded[part], mapped[part]));
  if (different !== undefined) throw untrue(worker, `its plan differs in ${different}`);
  return ours;
}

interface Checking {
  worker: string;
  change(text: string): string;
}

/** Judges one attempt by our own plan, and leaves the records as an attempt on this machine would. */
async function acceptAttempt(
  directory: string,
  run: CaseRun,
  checking: Checking,
): Promise<{ plan: Plan; verdict: Verdict }> {
  const plan = ownPlan(directory, run, checking);
  const events = readEvents(directory);
  const started = events.find((event) => event.source === 'run' && event.type === 'started');
  if (started !== undefined && 'caseId' in started && started.caseId !== run.id)
    throw untrue(checking.worker, `its log is that of ${started.caseId}`);
  const qemu = startedQemuSchema.parse(mapTexts(readStartedQemu(directory), checking.change));
  await writeRecord(join(directory, caseFiles.plan), plan);
  await writeRecord(join(directory, caseFiles.qemu), qemu);
  for (const own of [caseFiles.repro, caseFiles.result]) rmSync(join(directory, own), { recursive: true, force: true });
  writeFileSync(join(directory, caseFiles.repro), reproScript(plan.scenario, run.setDirs), { mode: 0o755 });
  return { plan, verdict: judge(plan, events) };
}

async function unpackRecords(content: Content, { store, folder }: Bundles, directory: string): Promise<void> {
  const bundle = join(folder, `${randomBytes(8).toString('hex')}.zip`);
  try {
    await store.get(content, bundle);
    await unpackZip(bundle, directory, bundleLimits);
  } finally {
    await rm(bundle, { force: true });
  }
}

/** Where bundles of records are had from, and a folder for them until they are unpacked. */
interface Bundles {
  store: FileStore;
  folder: string;
}

type Ran = Extract<CellResult['outcome'], { bundle: unknown }>;

/** Judges the unpacked records, and puts this machine's result to them. */
async function judgeRecords(arrived: string, run: CaseRun, worker: string, outcome: Ran): Promise<CaseResult> {
  const checking = { worker, change: inOurPaths(outcome.paths, run, worker) };
  const attempts = [];
  for (const [nth, theirs] of attemptDirectoriesOf(arrived).entries())
    attempts.push({
      ...(await acceptAttempt(theirs, run, checking)),
      directory: attemptDirectory(run.directory, nth + 1),
    });
  const [first, second] = attempts as [(typeof attempts)[number], (typeof attempts)[number]?];
  const { accel, durationMs, guestCpuMs, savedCpuMs } = outcome;
  const result = attemptedResult({
    ...{ id: run.id, round: run.round, plan: first.plan, accel, durationMs, guestCpuMs, directory: run.directory },
    verdict: verdictOver(first.verdict, second?.verdict),
    ...(savedCpuMs === undefined ? {} : { savedCpuMs }),
    attempts: attempts.map((one) => ({ directory: one.directory, status: one.verdict.status })),
  });
  await writeRecord(join(arrived, caseFiles.result), result);
  return result;
}

/**
 * A worker's result as a case of this run: its records in the run's directory, its verdict judged again from them.
 * Rejects with HarnessError if the records cannot be had, or are those of another case; none of them is left then.
 */
export async function acceptResult(
  { worker, outcome }: CellResult,
  run: CaseRun,
  bundles: Bundles,
): Promise<CaseResult> {
  if ('reason' in outcome) {
    const reason = `On worker ${worker}: ${outcome.reason}`;
    return unstartedResult(run, run.found.scenario, outcome.status, reason);
  }
  // Beside the cases, until it is judged: `--resume` takes what it finds there for a case's own, even after a kill.
  const arrived = emptyDirectoryInside(run.outDir, `arriving-${run.id}`);
  const directory = pathInside(run.outDir, run.directory);
  try {
    rmSync(directory, { recursive: true, force: true });
    await unpackRecords(outcome.bundle, bundles, arrived);
    const result = await judgeRecords(arrived, run, worker, outcome);
    mkdirSync(dirname(directory), { recursive: true });
    renameSync(arrived, directory);
    return result;
  } finally {
    rmSync(arrived, { recursive: true, force: true });
  }
}
