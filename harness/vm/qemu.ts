import type { ChildProcess } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { execa } from 'execa';
import { HarnessError } from '../model/errors.ts';
import type { EventSink } from '../model/events.ts';
import { type DisposalStack, opening } from '../os/disposal-stack.ts';
import { letGiveWay } from '../os/give-way.ts';
import { openCpuMeter } from '../os/process-cpu.ts';
import { tieToParent, watchOver } from '../os/tied-process.ts';
import { type Qmp, startQmp } from './qmp.ts';
import { withSocketFolder } from './socket-folder.ts';
import { createSerialPair, createSocketPair, type SocketPair } from './socket-pair.ts';

export interface GuestExit {
  exitCode: number | null;
  signal: string | null;
  /** The harness ended it; otherwise QEMU ended by itself. */
  byHarness: boolean;
  stderr: string;
}

/** A running QEMU. Dispose of it on every path: `stop` is idempotent and resolves when the process is gone. */
export interface Guest extends AsyncDisposable {
  readonly pid: number;
  /** Network links and serial port start paused, and emit views of a reused buffer: see `SocketPair`. */
  readonly nic: Duplex;
  readonly serial: Duplex;
  readonly uplink: Duplex | undefined;
  readonly qmp: Qmp;
  readonly exited: Promise<GuestExit>;
  /** CPU time so far, ms; the last sample once it has exited. */
  cpuMs(): number;
  /** Nothing once it has exited. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGALRM'): void;
  stop(): Promise<GuestExit>;
}

export interface QemuStart {
  program: string;
  argv: readonly string[];
  /** Added to the environment. */
  env: Record<string, string>;
  fds: { nic: number; qmp: number; serial: number; uplink?: number | undefined };
  cwd: string;
  emit: EventSink;
  onStderr(chunk: Buffer): void;
}

const keptStderrBytes = 64 << 10;
const cpuSampleMs = 500;
/** One heap for all its threads (mallopt(3)): the virtual CPU's own costs a guest 2 MB, and they seldom run at once. */
const oneHeap = { MALLOC_ARENA_MAX: '1' };

/** Our ends of the network links and the serial port, by descriptor; QMP uses a pipe made by Node. */
type Links = ReadonlyMap<number, SocketPair>;

function openLinks({ nic, uplink, serial }: QemuStart['fds'], opened: DisposalStack): Promise<Links> {
  return withSocketFolder(async (folder) => {
    const links = new Map<number, SocketPair>();
    for (const fd of [nic, uplink, serial]) {
      if (fd === undefined) continue;
      const pair = await (fd === serial ? createSerialPair(folder) : createSocketPair(folder));
      opened.defer(() => {
        pair.ours.destroy();
        pair.theirs.destroy();
      });
      links.set(fd, pair);
    }
    return links;
  });
}

function spawnQemu({ program, argv, env, fds, cwd }: QemuStart, links: Links) {
  const { file, args } = tieToParent(program, argv);
  const extra = Math.max(...Object.values(fds).filter((fd) => fd !== undefined)) - 2;
  const child = execa(file, args, {
    cwd,
    // Its overlays for `snapshot=on` go where they are found again: see `removeOverlays`.
    env: { ...oneHeap, ...env, TMPDIR: cwd },
    stdio: [
      'ignore',
      'ignore',
      'pipe',
      ...Array.from({ length: extra }, (_, at) => links.get(3 + at)?.theirs ?? 'pipe'),
    ],
    buffer: false,
    reject: false,
    // Terminals send Ctrl-C to the whole group; the harness ends guests itself, after their logs are safe.
    detached: true,
  });
  // The child has its own copy.
  for (const { theirs } of links.values()) theirs.destroy();
  return child;
}

/** QEMU unlinks an overlay once it has opened it (block.c, bdrv_append_temp_snapshot); killed in between, it leaves the file. */
function removeOverlays(cwd: string): void {
  try {
    for (const name of readdirSync(cwd)) if (/^vl\.\w{6}$/.test(name)) rmSync(join(cwd, name), { force: true });
  } catch {
    // The folder is gone, and with it what was in it.
  }
}

const cannotStart = (program: string, why: string): HarnessError =>
  new HarnessError('missing-program', `${program} could not be started: ${why}`, {
    hint: '`netboot doctor` lists what is missing and how to install it.',
  });

/** Our end of each descriptor, by its name in the plan. */
function endpointsOf(fds: QemuStart['fds'], child: Pick<ChildProcess, 'stdio'>, links: Links) {
  const endpoint = (fd: number): Duplex => {
    const stream = links.get(fd)?.ours ?? (child.stdio[fd] as unknown as Duplex);
    // An exiting QEMU resets its sockets; `exited` reports that.
    stream.on('error', () => {});
    return stream;
  };
  const { nic, qmp, serial, uplink } = fds;
  return {
    nic: endpoint(nic),
    qmp: endpoint(qmp),
    serial: endpoint(serial),
    uplink: uplink === undefined ? undefined : endpoint(uplink),
  };
}

/** CPU time so far, sampled so that it is known after the process has gone. */
function meterCpu(pid: number): { cpuMs(): number; stop(): void } {
  const { cpuMs, close } = openCpuMeter(pid);
  const sampler = setInterval(cpuMs, cpuSampleMs).unref();
  return {
    cpuMs,
    stop() {
      clearInterval(sampler);
      close();
    },
  };
}

/** QEMU's stderr for the event log, and its beginning for the message about the exit. */
function keepStderr(stream: Readable, onStderr: QemuStart['onStderr']): () => string {
  let kept = '';
  stream.on('data', (chunk: Buffer) => {
    if (kept.length < keptStderrBytes) kept += chunk.toString('utf8');
    onStderr(chunk);
  });
  return () => kept;
}

/**
 * Starts QEMU with a socket pair for the serial port and for each network link of the plan. Throws `missing-program` if
 * it cannot be started, and then leaves nothing open.
 */
export function startQemu(start: QemuStart): Promise<Guest> {
  return opening(async (opened) => {
    const links = await openLinks(start.fds, opened);
    const child = spawnQemu(start, links);
    const { pid } = child;
    if (pid === undefined) throw cannotStart(start.program, (await child).shortMessage ?? 'no reason is known');
    watchOver(pid);
    letGiveWay(pid);
    const stderr = keepStderr(child.stderr as Readable, start.onStderr);
    const { qmp, ...streams } = endpointsOf(start.fds, child, links);
    const cpu = meterCpu(pid);

    let byHarness = false;
    const exited = new Promise<GuestExit>((resolve) => {
      child.once('exit', (exitCode, signal) => {
        cpu.stop();
        for (const stream of [qmp, ...Object.values(streams)]) stream?.destroy();
        removeOverlays(start.cwd);
        resolve({ exitCode, signal, byHarness, stderr: stderr() });
      });
    });
    const stop = (): Promise<GuestExit> => {
      if (child.exitCode === null && child.signalCode === null && !byHarness) {
        cpu.cpuMs();
        byHarness = true;
        // Nothing of the guest is kept (`snapshot=on`, throw-away variables), so there is nothing to end gently.
        child.kill('SIGKILL');
      }
      return exited;
    };
    return {
      ...streams,
      pid,
      qmp: startQmp(qmp, start.emit),
      exited,
      cpuMs: cpu.cpuMs,
      signal: (name) => void child.kill(name),
      stop,
      [Symbol.asyncDispose]: async () => void (await stop()),
    };
  });
}
