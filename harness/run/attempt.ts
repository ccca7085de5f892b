import { join } from 'node:path';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { judge } from '../judge/judge.ts';
import type { Accel } from '../model/axes.ts';
import { HarnessError, isRetryable } from '../model/errors.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { Verdict } from '../model/verdict.ts';
import { DisposalStack } from '../os/disposal-stack.ts';
import type { QemuFacts } from '../vm/host.ts';
import { type Guest, type GuestExit, startQemu } from '../vm/qemu.ts';
import { runningArgv } from '../vm/running-argv.ts';
import { createCapture } from '../wire/capture/capture.ts';
import type { Faults } from '../wire/faults/faults.ts';
import { createInjector } from '../wire/faults/injector.ts';
import { type EndReason, type EndWatch, watchForEnd } from './attempt-end.ts';
import { acceleratorFailureOf, qemuTrouble } from './attempt-failure.ts';
import { type AttemptRecords, openRecords } from './attempt-records.ts';
import type { Authorities } from './authorities.ts';
import { caseFiles, writePlanFiles } from './case-directory.ts';
import { refuseChangedInputs } from './changed-inputs.ts';
import { watchDebugLog } from './debug-log-watch.ts';
import { heldBy, statusOf, whatHolds } from './held-guest.ts';
import type { Intervene, Intervention } from './intervention.ts';
import { injectLinkFaults } from './link-fault.ts';
import { type RunningNetwork, startNetwork } from './network.ts';
import { startForeign } from './provisioner.ts';
import { settle } from './settle.ts';
import { coldStart, type Start, startOf } from './templates/start.ts';
import type { Claim } from './templates/template-store.ts';
import { type TimeWatch, watchTime } from './time-watch.ts';

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
  /** A user attached to the guest's console. */
  terminal?: { output(chunk: Buffer): void; input: NodeJS.ReadableStream } | undefined;
  /** An accelerator already gave up on this guest: recorded first in the event log. */
  demotedFrom?: { accel: Accel; reason: string } | undefined;
  /** Says how the guest starts; from power-on by default. */
  claim?: Claim | undefined;
  intervene?: Intervene | undefined;
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
  argv: string[];
  start: Start;
  intervention: Intervention | undefined;
  records: AttemptRecords;
  watch: EndWatch;
  reached: ReadonlySet<Stage>;
  guest?: Guest;
  network?: RunningNetwork;
  time?: TimeWatch;
  exit?: GuestExit;
}

/** Starts one guest and follows it to its end; leaves its records in `directory`, and nothing running. */
export async function runAttempt(options: AttemptOptions): Promise<AttemptResult> {
  const attempt = await prepare(options);
  const { records, watch } = attempt;
  const opened = new DisposalStack();
  try {
    using _ = interruptible(attempt);
    if (!options.signal.aborted) await boot(attempt, opened);
    await conclude(attempt, await watch.ended);
  } catch (error) {
    concludeFailed(records, error);
  } finally {
    watch[Symbol.dispose]();
    // The guest stops before its network, so that the capture has everything that reached it.
    await attempt.guest?.stop();
    await opened[Symbol.asyncDispose]().catch(records.onDiskTrouble);
    await records.close();
  }
  return resultOf(attempt);
}

/** Writes what is known before the start, and opens the records. */
async function prepare(options: AttemptOptions): Promise<Attempt> {
  const beganAt = performance.now();
  const { directory, accel } = options;
  const intervention = options.intervene?.(options.plan, (text) =>
    records.emit({ source: 'run', type: 'fault', text }),
  );
  const plan = intervention?.plan ?? options.plan;
  const argv = runningArgv(plan, options.qemu, accel);
  const { program } = plan.qemu;
  const qemu = { program, version: options.qemu.version, accel, argv };
  await writePlanFiles(directory, { plan, qemu, setDirs: options.setDirs });
  const reached = new Set<Stage>();
  const watch = watchForEnd(plan, (stage, atMs) => {
    reached.add(stage);
    attempt.time?.reached(stage);
    options.onStage(stage, atMs);
  });
  const records = openRecords(directory, (event) => {
    watch.observe(event);
    if (isStop(event) && !attempt.start.isHolding()) askStatus(attempt);
    intervention?.onEvent?.(event);
  });
  const attempt: Attempt = { ...options, beganAt, plan, argv, start: coldStart, intervention, watch, records, reached };
  emitStart(attempt);
  return attempt;
}

function emitStart({ id, attempt, accel, demotedFrom, records: { emit } }: Attempt): void {
  emit({ source: 'run', type: 'started', caseId: id, attempt, at: new Date().toISOString() });
  if (!demotedFrom) return;
  emit({ source: 'vm', type: 'demoted', from: demotedFrom.accel, to: accel, reason: demotedFrom.reason });
}

/** Until disposed of, an interruption of the run ends the attempt. */
function interruptible({ signal, watch }: Attempt): Disposable {
  const interrupt = (): void => watch.end('interrupted');
  signal.addEventListener('abort', interrupt, { once: true });
  if (signal.aborted) interrupt();
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', interrupt) };
}

const isStop = (event: HarnessEvent): boolean =>
  event.source === 'qmp' && event.type === 'event' && event.name === 'STOP';

/** The STOP event gives no reason; query-status does. */
function askStatus({ guest, records }: Attempt): void {
  if (guest === undefined) return;
  const onStatus = (status: string): void => {
    records.emit({ source: 'qmp', type: 'status', status });
    emitHeld(records, heldBy(status));
  };
  statusOf(guest.qmp).then(onStatus, () => {});
}

/** The silence of a guest that is kept from running means nothing. */
function emitHeld({ emit }: AttemptRecords, message: string | undefined): boolean {
  if (message === undefined) return false;
  emit({ source: 'run', type: 'infrastructure', code: 'qemu-failed', message, retryable: true });
  return true;
}

/** Starts the guest, its network and its clock; `opened` collects what to close, even when the start fails. */
async function boot(attempt: Attempt, opened: DisposalStack): Promise<void> {
  const { plan, directory, authorities, fingerprints, records, intervention, accel } = attempt;
  await refuseChangedInputs(plan.inputs, fingerprints);
  await authorities.enrol(plan, directory);
  const { emit, now } = records;
  const capture = await createCapture(join(directory, caseFiles.capture), { startedAtMs: Date.now(), emit });
  opened.defer(() => capture.close());
  const foreign = await startForeign({ ...attempt, plan, emit: records.emit });
  if (foreign) opened.use(foreign);
  const guest = await startGuest(attempt, opened);
  emit({ source: 'vm', type: 'spawned', pid: guest.pid, accel });
  startClock(attempt, guest, opened);
  const { gate } = attempt.start;
  const faults = intervention?.faults ?? startFaults(attempt, guest, opened);
  const network = await startNetwork({
    ...{ plan, guest, gate, capture, authorities, emit, now, faults },
    hasReached: (stage) => attempt.reached.has(stage),
    foreign: foreign?.link,
  });
  attempt.network = opened.use(network);
  await attempt.start.begin();
  intervention?.begin?.({ guest, network });
}

/** The faults of the scenario, if it has any. */
function startFaults(attempt: Attempt, { qmp }: Guest, opened: DisposalStack): Faults | undefined {
  const { faults } = attempt.plan.scenario;
  if (faults === undefined) return undefined;
  const { now, emit } = attempt.records;
  const hasReached = (stage: Stage): boolean => attempt.reached.has(stage);
  const links = injectLinkFaults({ faults, qmp, now, hasReached, emit });
  const injector = createInjector(faults, { now, hasReached, emit });
  opened.defer(() => links[Symbol.dispose]());
  opened.defer(() => injector[Symbol.dispose]());
  return injector.faults;
}

/** QEMU with the guest in it: at power-on, or where its template left off. */
async function launch(attempt: Attempt): Promise<Guest> {
  const { plan, argv, directory, records, start } = attempt;
  const guest = await startQemu({
    program: plan.qemu.program,
    env: plan.qemu.env,
    argv: [...argv, ...start.args(plan.qemu.memoryMiB)],
    fds: plan.qemu.fds,
    cwd: directory,
    emit: records.emitAfterConsole,
    onStderr: records.stderr,
  });
  try {
    await start.load(guest, directory);
    return guest;
  } catch (error) {
    await guest.stop();
    records.clock.goOnFrom(records.now());
    records.emit({ source: 'vm', type: 'template-refused', reason: (error as Error).message });
    attempt.start = coldStart;
    return launch(attempt);
  }
}

async function startGuest(attempt: Attempt, opened: DisposalStack): Promise<Guest> {
  const { directory, records, terminal, claim } = attempt;
  const context = { records, directory, guest: () => attempt.guest as Guest };
  if (claim) attempt.start = startOf(claim, context);
  const guest = await launch(attempt);
  attempt.guest = guest;
  const debugLog = watchDebugLog(join(directory, caseFiles.firmwareDebug), records.emit);
  opened.defer(() => debugLog[Symbol.dispose]());
  records.serial.read(guest.serial, (chunk) => {
    attempt.start.printed(chunk);
    terminal?.output(chunk);
  });
  terminal?.input.pipe(guest.serial, { end: false });
  opened.defer(() => terminal?.input.unpipe(guest.serial));
  guest.exited.then((exit) => {
    attempt.exit = exit;
    const { exitCode, signal, byHarness } = exit;
    // A reason given over QMP comes first.
    const emit = byHarness ? records.emit : records.emitAfterConsole;
    emit({ source: 'vm', type: 'exited', exitCode, signal, byHarness });
  });
  return guest;
}

/** With a user at the console, an idle guest may stay as long as they like. */
function startClock(attempt: Attempt, guest: Guest, opened: DisposalStack): void {
  const { plan, accel, terminal, records } = attempt;
  const signs = () => ({ frames: attempt.network?.frames() ?? 0, consoleBytes: records.serial.bytes() });
  const time = watchTime({
    ...{ plan, accel, pid: guest.pid, signs, restEnds: terminal === undefined },
    async onTimeUp(event) {
      if (!emitHeld(records, await whatHolds(guest.qmp))) records.emit(event);
    },
  });
  attempt.time = time;
  opened.defer(() => time[Symbol.dispose]());
}

/** Records the end, and whether it says anything about the guest. */
async function conclude(attempt: Attempt, reason: EndReason): Promise<void> {
  const { accel, plan, fingerprints, records, guest } = attempt;
  const { emit, events } = records;
  await settle(() => records.serial.bytes() + (attempt.network?.frames() ?? 0));
  // Unread console output belongs to the record, and may be evidence.
  records.serial.end();
  const { exit } = attempt;
  const trouble = acceleratorFailureOf(accel, events, exit) ? undefined : qemuTrouble(exit, events);
  if (trouble) emit({ source: 'run', type: 'infrastructure', code: 'qemu-failed', ...trouble });
  if (guest) await refuseChangedInputs(plan.inputs, fingerprints);
  emit({ source: 'vm', type: 'cpu', guestCpuMs: guest?.cpuMs() ?? 0 });
  emit({ source: 'run', type: 'ended', reason: trouble ? 'infrastructure' : reason });
}

/** Something could not be started, or the harness itself failed. */
function concludeFailed({ emit }: AttemptRecords, error: unknown): void {
  const code = error instanceof HarnessError ? error.code : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  emit({ source: 'run', type: 'infrastructure', code, message, retryable: isRetryable(error) });
  emit({ source: 'run', type: 'ended', reason: 'infrastructure' });
}

function resultOf({ beganAt, plan, accel, records: { events }, guest, exit }: Attempt): AttemptResult {
  const verdict = judge(plan, events);
  return {
    plan,
    verdict,
    accel,
    retryable:
      verdict.status === 'error' && events.every((event) => event.type !== 'infrastructure' || event.retryable),
    guestCpuMs: guest?.cpuMs() ?? 0,
    savedCpuMs: events.reduce((sum, event) => sum + (event.type === 'restored' ? event.guestCpuMs : 0), 0),
    durationMs: performance.now() - beganAt,
    demote: acceleratorFailureOf(accel, events, exit),
  };
}
