import { join } from 'node:path';
import type { HarnessEvent } from '../../model/events.ts';
import type { Scenario } from '../../model/scenario.ts';
import type { Stage } from '../../model/stages.ts';
import { DisposalStack } from '../../os/disposal-stack.ts';
import { type Guest, type GuestExit, startQemu } from '../../vm/qemu.ts';
import { runningArgv } from '../../vm/running-argv.ts';
import type { Capture } from '../../wire/capture/capture.ts';
import { type Faults, inTurn } from '../../wire/faults/faults.ts';
import { createInjector } from '../../wire/faults/injector.ts';
import type { AttemptOptions } from '../attempt.ts';
import { acceleratorFailureOf, qemuTrouble } from '../attempt-failure.ts';
import type { AttemptRecords } from '../records/attempt-records.ts';
import { caseFiles } from '../records/case-directory.ts';
import { coldStart, type Start, startOf } from '../templates/start.ts';
import { type EndReason, type EndWatch, watchForEnd } from './attempt-end.ts';
import { refuseChangedInputs } from './changed-inputs.ts';
import { watchDebugLog } from './debug-log-watch.ts';
import { heldBy, statusOf, whatHolds } from './held-guest.ts';
import type { Intervention } from './intervention.ts';
import { type GuestLatenessWatch, watchGuestLateness } from './lateness-watch.ts';
import { injectLinkFaults } from './link-fault.ts';
import { type RunningNetwork, startNetwork } from './network.ts';
import { type OfferWait, sleepThroughOfferWait } from './offer-wait.ts';
import type { RunningForeign } from './provisioner.ts';
import { settle } from './settle.ts';
import { type TimeWatch, watchTime } from './time-watch.ts';

/** What a machine has for all its boots. */
export interface Machine {
  capture: Capture;
  foreign: RunningForeign | undefined;
}

export interface BootOptions extends AttemptOptions {
  intervention: Intervention | undefined;
  records: AttemptRecords;
}

/** One boot of an attempt's machine: what its phases share. */
interface Boot extends BootOptions {
  argv: string[];
  start: Start;
  watch: EndWatch;
  reached: ReadonlySet<Stage>;
  guest?: Guest;
  network?: RunningNetwork;
  time?: TimeWatch;
  offerWait?: OfferWait;
  lateness?: GuestLatenessWatch;
  /** Its end is being recorded: it is no longer watched. */
  isOver?: true;
  exit?: GuestExit;
}

/** A boot from before its guest starts, so that it can be ended at any time. */
export interface PreparedBoot {
  /** Of its guest's QEMU. */
  readonly argv: readonly string[];
  observe(event: HarnessEvent): void;
  interrupt(): void;
  /** Starts the guest and follows it to its end; leaves nothing running. */
  run(machine: Machine): Promise<void>;
  /** CPU time of its guest, ms. */
  guestCpuMs(): number;
  readonly exit: GuestExit | undefined;
}

export function prepareBoot(options: BootOptions): PreparedBoot {
  const { plan, qemu, accel, signal } = options;
  const reached = new Set<Stage>();
  const watch = watchForEnd(plan, (stage, atMs) => {
    reached.add(stage);
    boot.time?.reached(stage);
    options.onStage(stage, atMs);
  });
  const boot: Boot = { ...options, argv: runningArgv(plan, qemu, accel), start: coldStart, watch, reached };
  const interrupt = (): void => watch.end('interrupted');
  if (signal.aborted) interrupt();
  return {
    argv: boot.argv,
    interrupt,
    observe(event) {
      watch.observe(event);
      boot.offerWait?.observe(event);
      if (isStop(event) && !boot.start.isHolding()) askStatus(boot);
    },
    run: (machine) => runBoot(boot, machine),
    guestCpuMs: () => boot.guest?.cpuMs() ?? 0,
    get exit() {
      return boot.exit;
    },
  };
}

async function runBoot(boot: Boot, machine: Machine): Promise<void> {
  const { records, watch, signal } = boot;
  const opened = new DisposalStack();
  try {
    if (!signal.aborted) await powerOn(boot, machine, opened);
    await conclude(boot, await watch.ended);
  } finally {
    watch[Symbol.dispose]();
    // The guest stops before its network, so that the capture has everything that reached it.
    await boot.guest?.stop();
    await opened[Symbol.asyncDispose]().catch(records.onCloseTrouble);
  }
}

const isStop = (event: HarnessEvent): boolean =>
  event.source === 'qmp' && event.type === 'event' && event.name === 'STOP';

/** The STOP event gives no reason; query-status does. */
function askStatus({ guest, records }: Boot): void {
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
async function powerOn(boot: Boot, { capture, foreign }: Machine, opened: DisposalStack): Promise<void> {
  const { plan, directory, authorities, fingerprints, records, intervention, accel } = boot;
  await refuseChangedInputs(plan.inputs, fingerprints);
  await authorities.enrol(plan, directory);
  const { emit, now } = records;
  const link = await foreign?.connect(plan);
  const guest = await startGuest(boot, opened);
  emit({ source: 'vm', type: 'spawned', pid: guest.pid, accel });
  startClock(boot, guest, opened);
  startLatenessWatch(boot, guest, opened);
  if (accel === 'tcg' && intervention === undefined) {
    const offerWait = sleepThroughOfferWait(plan.scenario, guest, emit);
    boot.offerWait = offerWait;
    opened.defer(() => offerWait[Symbol.dispose]());
  }
  const { gate } = boot.start;
  const faults = inTurn(intervention?.faults, startFaults(boot, guest, opened));
  const network = await startNetwork({
    ...{ plan, guest, gate, authorities, emit, now, faults },
    // It goes on in the next boot.
    capture: { frame: capture.frame, close: async () => {} },
    hasReached: (stage) => boot.reached.has(stage),
    foreign: link,
  });
  boot.network = opened.use(network);
  await boot.start.begin();
  intervention?.begin?.({ guest, network });
}

/**
 * How long a guest goes unanswered before that may change what it does. Most clients in ROMs ask again after a second. A
 * clock that counts instructions runs up to forty times as fast as ours, and iPXE gives ARP four seconds in all.
 */
const patienceMs = ({ icount }: Pick<Scenario, 'icount'>): number => (icount === undefined ? 1_000 : 200);

function startLatenessWatch(boot: Boot, { pid }: Guest, opened: DisposalStack): void {
  const { scenario } = boot.plan;
  const lateness = watchGuestLateness(pid, patienceMs(scenario), (who, lateMs) => onLate(boot, who, lateMs));
  boot.lateness = lateness;
  opened.defer(() => lateness[Symbol.dispose]());
  // It runs from `begin` on.
  if (boot.start.isHolding()) lateness.pause();
}

function onLate({ records, start }: Boot, who: 'harness' | 'qemu', lateMs: number): void {
  records.emit({ source: 'run', type: 'late', who, lateMs });
  start.late();
}

/** The faults of the scenario, if it has any. */
function startFaults(boot: Boot, { qmp }: Guest, opened: DisposalStack): Faults | undefined {
  const { faults } = boot.plan.scenario;
  if (faults === undefined) return undefined;
  const { now, emit } = boot.records;
  const hasReached = (stage: Stage): boolean => boot.reached.has(stage);
  const links = injectLinkFaults({ faults, qmp, now, hasReached, emit });
  const injector = createInjector(faults, { now, hasReached, emit, takeLinkDown: links.takeDown });
  opened.defer(() => links[Symbol.dispose]());
  opened.defer(() => injector[Symbol.dispose]());
  return injector.faults;
}

/** QEMU with the guest in it: at power-on, or where its template left off. */
async function launch(boot: Boot): Promise<Guest> {
  const { plan, argv, directory, records, start } = boot;
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
    boot.start = coldStart;
    return launch(boot);
  }
}

async function startGuest(boot: Boot, opened: DisposalStack): Promise<Guest> {
  const { directory, records, terminal, claim } = boot;
  const wake = (): void => boot.offerWait?.wake(records.now());
  const context = {
    ...{ records, directory, wake, guest: () => boot.guest as Guest },
    lateness: () => boot.lateness as GuestLatenessWatch,
  };
  if (claim) boot.start = startOf(claim, context);
  const guest = await launch(boot);
  boot.guest = guest;
  const debugLog = watchDebugLog(join(directory, caseFiles.firmwareDebug), records.emit);
  opened.defer(() => debugLog[Symbol.dispose]());
  records.serial.read(guest.serial, (chunk) => {
    boot.start.printed(chunk);
    terminal?.output(chunk);
  });
  terminal?.input.pipe(guest.serial, { end: false });
  opened.defer(() => terminal?.input.unpipe(guest.serial));
  guest.exited.then((exit) => {
    boot.exit = exit;
    const { exitCode, signal, byHarness } = exit;
    // A reason given over QMP comes first.
    const emit = byHarness ? records.emit : records.emitAfterConsole;
    emit({ source: 'vm', type: 'exited', exitCode, signal, byHarness });
  });
  return guest;
}

/** With a user at the console, an idle guest may stay as long as they like. */
function startClock(boot: Boot, guest: Guest, opened: DisposalStack): void {
  const { plan, accel, terminal, records } = boot;
  const signs = () => ({ frames: boot.network?.frames() ?? 0, consoleBytes: records.serial.bytes() });
  const time = watchTime({
    ...{ plan, accel, pid: guest.pid, signs, restEnds: terminal === undefined },
    async onTimeUp(event) {
      const held = await whatHolds(guest.qmp);
      if (!boot.isOver && !emitHeld(records, held)) records.emit(event);
    },
  });
  boot.time = time;
  opened.defer(() => time[Symbol.dispose]());
}

/** Why QEMU's end says nothing about the guest, if so; an accelerator's failure has the guest run again. */
function troubleOf({ accel, exit, records }: Boot): ReturnType<typeof qemuTrouble> {
  if (exit === undefined && accel === 'tcg') return undefined;
  const events = records.events();
  return acceleratorFailureOf(accel, events, exit) ? undefined : qemuTrouble(exit, events);
}

/** Records the end, and whether it says anything about the guest. */
async function conclude(boot: Boot, reason: EndReason): Promise<void> {
  const { plan, fingerprints, records, guest } = boot;
  const { emit } = records;
  const unservedMs = await settle(() => records.serial.bytes() + (boot.network?.frames() ?? 0), guest?.qmp);
  boot.isOver = true;
  boot.time?.[Symbol.dispose]();
  // Reading a long log takes time too, when the guest waits for nothing any more.
  boot.lateness?.[Symbol.dispose]();
  // A stall that is not over is not counted yet.
  if (unservedMs > 0) onLate(boot, 'qemu', unservedMs);
  // Unread console output belongs to the record, and may be evidence.
  records.serial.end();
  const trouble = troubleOf(boot);
  if (trouble) emit({ source: 'run', type: 'infrastructure', code: 'qemu-failed', ...trouble });
  if (guest) await refuseChangedInputs(plan.inputs, fingerprints);
  emit({ source: 'vm', type: 'cpu', guestCpuMs: guest?.cpuMs() ?? 0 });
  emit({ source: 'run', type: 'ended', reason: trouble ? 'infrastructure' : reason });
}
