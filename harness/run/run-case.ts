import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import pRetry from 'p-retry';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { verdictOver } from '../judge/attempts.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { CaseResult } from '../model/verdict.ts';
import { makePlan } from '../plan/plan.ts';
import type { AccelChooser } from '../vm/acceleration.ts';
import type { QemuFacts } from '../vm/host.ts';
import { type AttemptOptions, type AttemptResult, runAttempt } from './attempt.ts';
import type { Authorities } from './authorities.ts';
import type { Intervene } from './boot/intervention.ts';
import { attemptedResult } from './case-result.ts';
import type { FoundCase } from './found-case.ts';
import { newNonce } from './new-nonce.ts';
import { attemptDirectory, caseFiles, writeRecord } from './records/case-directory.ts';
import { emptyDirectoryInside, pathInside } from './records/inside.ts';
import type { SharedServer } from './shared-servers.ts';
import { type TemplateKey, templateKeyOf } from './templates/template-id.ts';
import type { TemplateStore } from './templates/template-store.ts';

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
  setDirs: readonly string[];
  /** Undefined: every guest starts from power-on. */
  templates?: TemplateStore | undefined;
  onAttempt(attempt: number): void;
  onStage(stage: Stage, atMs: number): void;
  terminal?: AttemptOptions['terminal'];
  intervene?: Intervene | undefined;
  /** The server that it shares with other cases of the run. */
  server?: SharedServer | undefined;
  signal: AbortSignal;
}

/** An attempt that counts, and every guest that it took, retries included. */
interface CountedAttempt {
  /** Relative to the run's directory. */
  directory: string;
  result: AttemptResult;
  guests: AttemptResult[];
}

/** The plan of one more guest. */
const planOf = ({ found }: CaseRun): Plan => makePlan({ ...found, nonce: newNonce() });

/**
 * The template that a case's first attempt may start from. A second attempt starts from power-on: it is there to show what
 * varies. So do a guest with a user at its console, and one that is interfered with.
 */
export function templateOf(run: CaseRun, plan: Plan = planOf(run)): TemplateKey | undefined {
  if (run.terminal || run.intervene) return undefined;
  return templateKeyOf(plan, run.qemu, run.templates?.latest ?? 'question');
}

const infrastructureRetries = 2;

/** A user at the console has seen how it ended, and what is broken on purpose would break again. */
const bootsOnce = ({ terminal, intervene }: CaseRun): boolean => terminal !== undefined || intervene !== undefined;

type GuestOrder = Pick<AttemptOptions, 'plan' | 'attempt'>;

/** Runs a guest; an accelerator that gives up on it is replaced by TCG. */
async function runGuest(run: CaseRun, name: string, { plan, attempt }: GuestOrder): Promise<AttemptResult[]> {
  const { accel: chooser, qemu, signal } = run;
  const directory = emptyDirectoryInside(run.outDir, name);
  const { accel } = await chooser.choose(plan, qemu);
  const template = attempt === 1 && accel === 'tcg' ? templateOf(run, plan) : undefined;
  const claim = template === undefined ? undefined : await run.templates?.claim(template);
  const result = await runAttempt({ ...run, plan, attempt, directory, accel, claim }).finally(claim?.release);
  if (result.demote === undefined || signal.aborted) return [result];
  await chooser.distrust(plan, qemu, accel, result.demote);
  // Its records are kept inside those of the attempt that counts.
  const aside = `${directory}.aside`;
  renameSync(directory, aside);
  mkdirSync(directory);
  renameSync(aside, join(directory, `${accel}-attempt`));
  const demotedFrom = { accel, reason: result.demote };
  return [result, await runAttempt({ ...run, plan, attempt, directory, accel: 'tcg', demotedFrom })];
}

/** Runs an attempt, and retries where the harness could not tell what the guest did. */
async function runUntilJudged(run: CaseRun, attempt: number): Promise<CountedAttempt> {
  const directory = attemptDirectory(run.directory, attempt);
  const retries = bootsOnce(run) ? 0 : infrastructureRetries;
  const guests: AttemptResult[] = [];
  run.onAttempt(attempt);
  const result = await pRetry(
    async (tries) => {
      guests.push(...(await runGuest(run, directory, { plan: planOf(run), attempt })));
      const last = guests.at(-1) as AttemptResult;
      // An interrupted attempt is recorded as such and not retried.
      if (last.retryable && tries <= retries && !run.signal.aborted) throw new Error(last.verdict.diagnosis ?? '');
      return last;
    },
    { retries, minTimeout: 500 },
  );
  return { directory, result, guests };
}

/** What templates saved these guests, if anything. */
function savedBy(guests: readonly AttemptResult[]): { savedCpuMs?: number } {
  const savedCpuMs = guests.reduce((sum, guest) => sum + guest.savedCpuMs, 0);
  return savedCpuMs > 0 ? { savedCpuMs } : {};
}

/**
 * Runs one case to its result: infrastructure errors are retried, and a failed guest is rerun once, into a directory of
 * its own; passing then is `flaky`, never `passed`.
 */
export async function runCase(run: CaseRun): Promise<CaseResult> {
  const { id, round, directory, outDir } = run;
  const first = await runUntilJudged(run, 1);
  const again = first.result.verdict.status === 'failed' && !bootsOnce(run);
  const attempts = again ? [first, await runUntilJudged(run, 2)] : [first];
  const guests = attempts.flatMap((attempt) => attempt.guests);
  const result = attemptedResult({
    id,
    round,
    plan: first.result.plan,
    verdict: verdictOver(first.result.verdict, attempts[1]?.result.verdict),
    accel: (attempts.at(-1) ?? first).result.accel,
    attempts: attempts.map((attempt) => ({ directory: attempt.directory, status: attempt.result.verdict.status })),
    durationMs: Math.round(guests.reduce((sum, { durationMs }) => sum + durationMs, 0)),
    guestCpuMs: guests.reduce((sum, { guestCpuMs }) => sum + guestCpuMs, 0),
    ...savedBy(guests),
    directory,
  });
  await writeRecord(pathInside(outDir, join(directory, caseFiles.result)), result);
  return result;
}
