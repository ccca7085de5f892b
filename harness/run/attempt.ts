import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { judge } from '../judge/judge.ts';
import type { Accel } from '../model/axes.ts';
import { HarnessError } from '../model/errors.ts';
import type { EventSink, HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { Verdict } from '../model/verdict.ts';
import { createConsole, type SerialConsole } from '../observe/console.ts';
import { createObserver } from '../observe/observer.ts';
import type { QemuFacts } from '../vm/host.ts';
import { type Guest, type GuestExit, startQemu } from '../vm/qemu.ts';
import { runningArgv } from '../vm/running-argv.ts';
import { createCapture } from '../wire/capture/capture.ts';
import { acceleratorFailureOf, killedBy, startFailureOf } from './attempt-failure.ts';
import type { Authorities } from './authorities.ts';
import { caseFiles, writePlanFiles } from './case-directory.ts';
import { refuseChangedInputs } from './changed-inputs.ts';
import { createDeadlineClock } from './deadline-clock.ts';
import { openEventLog } from './event-log.ts';
import type { Intervene } from './intervention.ts';
import { type RunningNetwork, startNetwork } from './network.ts';
import { openRawLogs } from './raw-logs.ts';

export interface AttemptOptions {
  plan: Plan;
  attempt: number;
  directory: string;
  qemu: Pick<QemuFacts, 'sandbox'>;
  accel: Accel;
  fingerprints: Pick<Fingerprints, 'of'>;
  authorities: Authorities;
  /** Share of time in which guests wait for a CPU, 0 to 1: deadlines stretch by it. */
  pressure(): number;
  onStage(stage: Stage, atMs: number): void;
  /** A person at the guest's console: sees what it prints, types into it. */
  terminal?: { output(chunk: Buffer): void; input: NodeJS.ReadableStream } | undefined;
  /** An accelerator gave up on this guest before: the event log begins by saying so. */
  demotedFrom?: { accel: Accel; reason: string } | undefined;
  intervene?: Intervene | undefined;
  signal: AbortSignal;
}

export interface AttemptResult {
  /** What was run: the plan given, unless an intervention put another in its place. */
  plan: Plan;
  verdict: Verdict;
  guestCpuMs: number;
  durationMs: number;
  /** The accelerator gave up on this guest; it is to be run again under TCG. */
  demote: string | undefined;
}

const tickMs = 250;
/** After the last stage: evidence of earlier ones may still be on its way through the console. */
const graceMs = 1_000;

type EndReason = Extract<HarnessEvent, { source: 'run'; type: 'ended' }>['reason'];

/** Which end an event that ends a case stands for. */
function endReasonOf({ source, type }: HarnessEvent): EndReason {
  if (source === 'qmp' || source === 'vm') return 'guest-ended';
  return type === 'deadline' ? 'deadline' : 'failure';
}

/** QEMU stops a guest without saying why in the event; its status says it. */
function askStatus(guest: Guest, emit: EventSink): void {
  guest.qmp.execute('query-status').then(
    (answer) => emit({ source: 'qmp', type: 'status', status: String((answer as { status?: unknown }).status) }),
    () => {},
  );
}

/** QMP overtakes the serial port: what a guest printed before it stopped is read, and told, first. */
function afterConsole(console: SerialConsole, emit: EventSink): EventSink {
  let told: Promise<void> = Promise.resolve();
  return (event) => {
    told = told.then(async () => {
      await nextTurn();
      await nextTurn();
      await console.settle();
      emit(event);
    });
  };
}

function emitStart({ plan, attempt, accel, demotedFrom }: AttemptOptions, emit: EventSink): void {
  emit({ source: 'run', type: 'started', caseId: plan.scenario.id, attempt, at: new Date().toISOString() });
  if (!demotedFrom) return;
  emit({ source: 'vm', type: 'demoted', from: demotedFrom.accel, to: accel, reason: demotedFrom.reason });
}

/** What keeps the end of QEMU from being the guest's; an accelerator that gave up is dealt with elsewhere. */
function qemuTrouble(accel: Accel, events: readonly HarnessEvent[], exit: GuestExit | undefined): string | undefined {
  if (acceleratorFailureOf(accel, events, exit)) return undefined;
  const signal = killedBy(exit);
  if (signal) return `QEMU was killed from outside (${signal})`;
  const refused = startFailureOf(exit, events);
  return refused && `QEMU would not start: ${refused}`;
}

/** Starts one guest, follows it to its end, leaves its records in `directory` and nothing running. */
export async function runAttempt(options: AttemptOptions): Promise<AttemptResult> {
  const { directory, accel, signal, terminal } = options;
  const intervention = options.intervene?.(options.plan, (text) => emit({ source: 'run', type: 'fault', text }));
  const plan = intervention?.plan ?? options.plan;
  mkdirSync(directory, { recursive: true });
  const argv = runningArgv(plan, options.qemu, accel);
  await writePlanFiles(directory, plan, argv);

  let end: (reason: EndReason) => void = () => {};
  const ending = new Promise<EndReason>((resolve) => {
    end = resolve;
  });
  const observer = createObserver(plan);
  const deadlines = createDeadlineClock(plan, accel !== 'tcg');
  let grace: NodeJS.Timeout | undefined;
  let guest: Guest | undefined;
  let exit: GuestExit | undefined;

  let diskTold = false;

  const onEvent = (event: HarnessEvent): void => {
    if (event.source === 'run' && event.type === 'infrastructure') end('infrastructure');
    if (event.source === 'qmp' && event.type === 'event' && event.name === 'STOP' && guest) askStatus(guest, emit);
    if (event.source === 'qmp' && event.type === 'status' && event.status === 'internal-error') end('guest-ended');
    for (const evidence of observer.observe(event)) {
      if (evidence.kind === 'stage') {
        deadlines.reached(evidence.stage);
        options.onStage(evidence.stage, evidence.atMs);
        if (evidence.stage === plan.stagePath.at(-1)) grace ??= setTimeout(() => end('complete'), graceMs);
      } else if (evidence.ends) end(endReasonOf(event));
    }
    if (observer.complete) end('complete');
    intervention?.onEvent?.(event);
  };
  /** Without its records a case proves nothing. */
  const onDiskTrouble = ({ message }: Error): void => {
    if (diskTold) return;
    diskTold = true;
    emit({
      source: 'run',
      type: 'infrastructure',
      code: 'disk',
      message: `${directory} cannot be written: ${message}`,
    });
  };
  const eventLog = openEventLog(join(directory, caseFiles.events), onEvent, onDiskTrouble);
  const { emit } = eventLog;
  emitStart(options, emit);
  const onAbort = (): void => end('interrupted');
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();

  const logs = openRawLogs(directory, onDiskTrouble);
  const console = createConsole(({ offset, text }) => emit({ source: 'serial', type: 'line', offset, text }));
  let ticker: NodeJS.Timeout | undefined;
  let network: RunningNetwork | undefined;

  const start = async (): Promise<void> => {
    await refuseChangedInputs(plan.inputs, options.fingerprints);
    await options.authorities.enrol(plan, directory);
    const capture = await createCapture(join(directory, caseFiles.capture), Date.now());
    guest = await startQemu({
      program: plan.qemu.program,
      env: plan.qemu.env,
      argv,
      fds: plan.qemu.fds,
      cwd: directory,
      emit: afterConsole(console, emit),
      onStderr(chunk) {
        logs.stderr(chunk);
        emit({ source: 'vm', type: 'stderr', text: chunk.toString('utf8').trimEnd() });
      },
    });
    guest.serial.on('data', (chunk: Buffer) => {
      logs.serial(chunk);
      console.push(chunk);
      terminal?.output(chunk);
    });
    terminal?.input.pipe(guest.serial, { end: false });
    guest.exited.then((result) => {
      exit = result;
      emit({
        source: 'vm',
        type: 'exited',
        exitCode: result.exitCode,
        signal: result.signal,
        byHarness: result.byHarness,
      });
    });
    emit({ source: 'vm', type: 'spawned', pid: guest.pid, accel });
    network = await startNetwork({
      plan,
      guest,
      capture,
      authorities: options.authorities,
      emit,
      now: eventLog.now,
      faults: intervention?.faults,
    });
    intervention?.begin?.({ guest, network });
    let last = eventLog.now();
    ticker = setInterval(() => {
      const deadline = deadlines.tick(eventLog.now() - last, options.pressure());
      last = eventLog.now();
      if (deadline) emit({ source: 'run', type: 'deadline', ...deadline });
    }, tickMs);
  };

  try {
    if (!signal.aborted) await start();
    const reason = await ending;
    // What the console still holds belongs to the record, and may be evidence.
    await console.settle();
    const trouble = qemuTrouble(accel, eventLog.events, exit);
    if (trouble) emit({ source: 'run', type: 'infrastructure', code: 'qemu-failed', message: trouble });
    if (guest) await refuseChangedInputs(plan.inputs, options.fingerprints);
    emit({ source: 'vm', type: 'cpu', guestCpuMs: guest?.cpuMs() ?? 0 });
    emit({ source: 'run', type: 'ended', reason: trouble ? 'infrastructure' : reason });
  } catch (error) {
    const code = error instanceof HarnessError ? error.code : 'internal';
    emit({
      source: 'run',
      type: 'infrastructure',
      code,
      message: error instanceof Error ? error.message : String(error),
    });
    emit({ source: 'run', type: 'ended', reason: 'infrastructure' });
  } finally {
    signal.removeEventListener('abort', onAbort);
    clearInterval(ticker);
    clearTimeout(grace);
    if (guest) terminal?.input.unpipe(guest.serial);
    await guest?.stop();
    await network?.close().catch(onDiskTrouble);
    await logs.close(console.transcript());
    eventLog.close();
    console.close();
  }
  return {
    plan,
    verdict: judge(plan, eventLog.events),
    guestCpuMs: guest?.cpuMs() ?? 0,
    durationMs: eventLog.now(),
    demote: acceleratorFailureOf(accel, eventLog.events, exit),
  };
}
