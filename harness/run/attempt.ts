import { join } from 'node:path';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { judge } from '../judge/judge.ts';
import type { Accel } from '../model/axes.ts';
import { HarnessError, isRetryable } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { Verdict } from '../model/verdict.ts';
import { DisposalStack } from '../os/disposal-stack.ts';
import type { QemuFacts } from '../vm/host.ts';
import { runningArgv } from '../vm/running-argv.ts';
import { createCapture } from '../wire/capture/capture.ts';
import { acceleratorFailureOf } from './attempt-failure.ts';
import type { Authorities } from './authorities.ts';
import { type Machine, type PreparedBoot, prepareBoot } from './boot/boot.ts';
import type { Intervene, Intervention } from './boot/intervention.ts';
import { makeMachineFiles } from './boot/machine-files.ts';
import { startForeign } from './boot/provisioner.ts';
import { type AttemptRecords, openRecords } from './records/attempt-records.ts';
import { caseFiles, writePlanFiles } from './records/case-directory.ts';
import type { SharedServer } from './shared-servers.ts';
import type { Claim } from './templates/template-store.ts';

export interface AttemptOptions {
  /** The case's id: its cell's, or that of a repeat. */
  id: string;
  plan: Plan;
  attempt: number;
  directory: string;
  qemu: Pick<QemuFacts, 'sandbox' | 'version'>;
  accel: Accel;
  fingerprints: Pick<Fingerprints, 'of'>;
  authorities: Authorities;
  setDirs: readonly string[];
  onStage(stage: Stage, atMs: number): void;
  /** A user attached to the guest's console; a chunk is valid only during the call. */
  terminal?: { output(chunk: Buffer): void; input: NodeJS.ReadableStream } | undefined;
  /** An accelerator already gave up on this guest: recorded first in the event log. */
  demotedFrom?: { accel: Accel; reason: string } | undefined;
  /** Says how the guest starts; from power-on by default. */
  claim?: Claim | undefined;
  intervene?: Intervene | undefined;
  /** The server that the case shares with others. */
  server?: Pick<SharedServer, 'join'> | undefined;
  signal: AbortSignal;
}

export interface AttemptResult {
  /** What was run: the plan given, unless an intervention replaced it. */
  plan: Plan;
  verdict: Verdict;
  accel: Accel;
  /** The harness could not tell, and a retry may succeed. */
  retryable: boolean;
  guestCpuMs: number;
  /** CPU time that a template saved it. */
  savedCpuMs: number;
  durationMs: number;
  /** The accelerator gave up on this guest, which has to be run again under TCG. */
  demote: string | undefined;
}

/** A running attempt: what its phases share. */
interface Attempt extends AttemptOptions {
  /** By the process's monotonic clock, ms. */
  beganAt: number;
  intervention: Intervention | undefined;
  records: AttemptRecords;
  /** Those begun so far; the last one is in progress. */
  boots: PreparedBoot[];
}

/** Starts a machine and follows it to the end of its last boot; leaves its records in `directory`, and nothing running. */
export async function runAttempt(options: AttemptOptions): Promise<AttemptResult> {
  const attempt = await prepare(options);
  const { records } = attempt;
  const opened = new DisposalStack();
  try {
    using _ = interruptible(attempt);
    const machine = await openMachine(attempt, opened);
    await bootInTurn(attempt, machine);
  } catch (error) {
    concludeFailed(records, error);
  } finally {
    await opened[Symbol.asyncDispose]().catch(records.onCloseTrouble);
    await records.close();
  }
  return resultOf(attempt);
}

/** Each boot's plan, of a machine that is switched off in between. */
const plansOf = (plan: Plan): Plan[] => plan.boots?.map(({ name: _, ...boot }) => boot) ?? [plan];

/** Writes what is known before the start, and opens the records. */
async function prepare(options: AttemptOptions): Promise<Attempt> {
  const beganAt = performance.now();
  const { directory, accel } = options;
  // It acts on the only boot of a case.
  const intervene = options.plan.boots === undefined ? options.intervene : undefined;
  const intervention = intervene?.(options.plan, (text) => records.emit({ source: 'run', type: 'fault', text }));
  const plan = intervention?.plan ?? options.plan;
  const { program } = plan.qemu;
  const argv = runningArgv(plan, options.qemu, accel);
  const qemu = { program, version: options.qemu.version, accel, argv };
  await writePlanFiles(directory, { plan, qemu, setDirs: options.setDirs });
  const records = openRecords(directory, (event) => {
    attempt.boots.at(-1)?.observe(event);
    intervention?.onEvent?.(event);
  });
  const attempt: Attempt = { ...options, beganAt, plan, intervention, records, boots: [] };
  attempt.boots.push(prepareBoot({ ...attempt, plan: plansOf(plan)[0] as Plan }));
  emitStart(attempt);
  return attempt;
}

function emitStart({ id, attempt, accel, demotedFrom, records: { emit } }: Attempt): void {
  emit({ source: 'run', type: 'started', caseId: id, attempt, at: new Date().toISOString() });
  if (!demotedFrom) return;
  emit({ source: 'vm', type: 'demoted', from: demotedFrom.accel, to: accel, reason: demotedFrom.reason });
}

/** Until disposed of, an interruption of the run ends the attempt. */
function interruptible({ signal, boots }: Attempt): Disposable {
  const interrupt = (): void => boots.at(-1)?.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', interrupt) };
}

/** What all boots of the machine share: what it writes to, its capture, and a server of the user's. */
async function openMachine(attempt: Attempt, opened: DisposalStack): Promise<Machine> {
  const { directory, plan, records, server, signal } = attempt;
  const { emit } = records;
  const capture = await createCapture(join(directory, caseFiles.capture), { startedAtMs: Date.now(), emit });
  opened.defer(() => capture.close());
  if (signal.aborted) return { capture, foreign: undefined };
  opened.use(await makeMachineFiles(plan, directory));
  const starting = { ...attempt, emit };
  const foreign = server ? await server.join(starting) : await startForeign(starting);
  if (foreign) opened.use(foreign);
  return { capture, foreign };
}

/** Boots the machine, and again for as long as each boot is as expected. */
async function bootInTurn(attempt: Attempt, machine: Machine): Promise<void> {
  const { plan, records, boots, signal } = attempt;
  await boots[0]?.run(machine);
  for (const [at, { name, ...later }] of (plan.boots ?? []).entries()) {
    if (at === 0) continue;
    await records.startAfresh();
    if (signal.aborted || judge(plan, records.events()).boots?.at(-1)?.status !== 'passed') return;
    const boot = prepareBoot({ ...attempt, plan: later });
    boots.push(boot);
    records.emit({ source: 'run', type: 'power-cycled', boot: at + 1, name });
    await boot.run(machine);
  }
}

/** Something could not be started, or the harness itself failed. */
function concludeFailed({ emit }: AttemptRecords, error: unknown): void {
  const code = error instanceof HarnessError ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  emit({ source: 'run', type: 'infrastructure', code, message, retryable: isRetryable(error) });
  emit({ source: 'run', type: 'ended', reason: 'infrastructure' });
}

function resultOf({ beganAt, plan, accel, records, boots }: Attempt): AttemptResult {
  const events = records.events();
  const verdict = judge(plan, events);
  return {
    plan,
    verdict,
    accel,
    retryable:
      verdict.status === 'error' && events.every((event) => event.type !== 'infrastructure' || event.retryable),
    guestCpuMs: boots.reduce((sum, boot) => sum + boot.guestCpuMs(), 0),
    savedCpuMs: events.reduce((sum, event) => sum + (event.type === 'restored' ? event.guestCpuMs : 0), 0),
    durationMs: performance.now() - beganAt,
    demote: acceleratorFailureOf(accel, events, boots.at(-1)?.exit),
  };
}
