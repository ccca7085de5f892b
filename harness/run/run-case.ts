import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import pRetry, { AbortError } from 'p-retry';
import type { Fingerprints } from '../assets/fingerprint.ts';
import type { Accel } from '../model/axes.ts';
import type { Stage } from '../model/stages.ts';
import type { CaseResult, Verdict } from '../model/verdict.ts';
import { makePlan } from '../plan/plan.ts';
import type { AccelChooser } from '../vm/acceleration.ts';
import type { QemuFacts } from '../vm/host.ts';
import { type AttemptResult, runAttempt } from './attempt.ts';
import type { Authorities } from './authorities.ts';
import { caseFiles, writeRecord } from './case-directory.ts';
import { attemptedResult } from './case-result.ts';
import type { FoundCase } from './found-case.ts';
import { emptyDirectoryInside, pathInside } from './inside.ts';
import type { Intervene } from './intervention.ts';

export interface CaseRun {
  id: string;
  round: number;
  found: FoundCase;
  qemu: QemuFacts;
  /** The run's directory, and the case's within it. */
  outDir: string;
  directory: string;
  accel: AccelChooser;
  fingerprints: Pick<Fingerprints, 'of'>;
  authorities: Authorities;
  pressure(): number;
  onAttempt(attempt: number): void;
  onStage(stage: Stage, atMs: number): void;
  terminal?: { output(chunk: Buffer): void; input: NodeJS.ReadableStream } | undefined;
  /** With it there is one attempt: what is broken on purpose is broken again the next time. */
  intervene?: Intervene | undefined;
  signal: AbortSignal;
}

/** A new nonce for every guest, so that no stale log can stand in for it. */
const newNonce = (): string => randomBytes(6).toString('hex');

const infrastructureRetries = 2;

/** The harness could not tell, and might on another try: thrown for p-retry alone. */
class CouldNotTell extends Error {
  readonly result: AttemptResult;
  constructor(result: AttemptResult) {
    super(result.verdict.diagnosis ?? 'infrastructure error');
    this.result = result;
  }
}

/**
 * Runs one case to its result: infrastructure errors are tried again, an accelerator that gives up is replaced by
 * TCG, and a guest that failed is rerun once into a directory of its own; passing then is `flaky`, never `passed`.
 */
export async function runCase(run: CaseRun): Promise<CaseResult> {
  const { id, round, found, qemu, signal } = run;
  let guestCpuMs = 0;
  let durationMs = 0;
  let accel: Accel = 'tcg';

  const once = async (name: string, attempt: number): Promise<AttemptResult> => {
    const directory = emptyDirectoryInside(run.outDir, name);
    const plan = makePlan({ ...found, nonce: newNonce() });
    ({ accel } = await run.accel.choose(plan, qemu, signal));
    const start = (demotedFrom?: { accel: Accel; reason: string }) =>
      runAttempt({ ...run, plan, attempt, directory, accel, demotedFrom });
    let result = await start();
    guestCpuMs += result.guestCpuMs;
    if (result.demote !== undefined && !signal.aborted) {
      const demotedFrom = { accel, reason: result.demote };
      await run.accel.distrust(plan, qemu, accel, result.demote);
      // Its records stay, inside those of the attempt that counts.
      const aside = `${directory}.aside`;
      renameSync(directory, aside);
      mkdirSync(directory);
      renameSync(aside, join(directory, `${accel}-attempt`));
      accel = 'tcg';
      result = await start(demotedFrom);
      guestCpuMs += result.guestCpuMs;
    }
    durationMs += result.durationMs;
    return result;
  };

  const told = async (name: string, attempt: number) => {
    run.onAttempt(attempt);
    let last: AttemptResult | undefined;
    await pRetry(
      async () => {
        last = await once(name, attempt);
        if (last.verdict.status !== 'error') return;
        const failure = new CouldNotTell(last);
        // QEMU refusing its command line refuses it again.
        throw last.verdict.diagnosis?.includes('would not start') ? new AbortError(failure) : failure;
      },
      // Interrupted, an attempt leaves records that say so, and is not tried again.
      { retries: run.intervene ? 0 : infrastructureRetries, minTimeout: 500, shouldRetry: () => !signal.aborted },
    ).catch((error: unknown) => {
      if (!last) throw error;
    });
    return last as AttemptResult;
  };

  const first = await told(run.directory, 1);
  const { verdict, plan } = first;
  let status: Verdict['status'] = verdict.status;
  let { diagnosis } = verdict;
  const attempts = [{ directory: run.directory, status }];
  if (status === 'failed' && !run.intervene) {
    // The first attempt is the record; the second tells only whether it happens every time.
    const again = join(run.directory, 'attempt-2');
    const second = await told(again, 2);
    attempts.push({ directory: again, status: second.verdict.status });
    if (second.verdict.status === 'passed') status = 'flaky';
    if (second.verdict.status === 'interrupted') {
      status = 'interrupted';
      diagnosis = `Interrupted before a second attempt told whether this happens every time. ${diagnosis}`;
    }
  }
  const result = attemptedResult({
    id,
    round,
    plan,
    verdict: { ...verdict, status, diagnosis },
    accel,
    attempts,
    durationMs: Math.round(durationMs),
    guestCpuMs,
    directory: run.directory,
  });
  await writeRecord(pathInside(run.outDir, join(run.directory, caseFiles.result)), result);
  return result;
}
