import type { Duplex, Readable } from 'node:stream';
import { execa } from 'execa';
import { HarnessError } from '../model/errors.ts';
import type { EventSink } from '../model/events.ts';
import { tieToParent, watchOver } from '../os/tied-process.ts';
import { readCpuMs } from './guest-cpu.ts';
import { type Qmp, startQmp } from './qmp.ts';
import { createSocketPair, type SocketPair } from './socket-pair.ts';

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
  readonly nic: Duplex;
  readonly serial: Duplex;
  readonly uplink: Duplex | undefined;
  readonly qmp: Qmp;
  readonly exited: Promise<GuestExit>;
  /** CPU time so far, ms; the last figure read once it is gone. */
  cpuMs(): number;
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

/** Starts QEMU with one socket pair per descriptor of the plan. Throws `missing-program` when it cannot be started. */
export async function startQemu({ program, argv, env, fds, cwd, emit, onStderr }: QemuStart): Promise<Guest> {
  const { file, args } = tieToParent(program, argv);
  const extra = Math.max(fds.nic, fds.qmp, fds.serial, fds.uplink ?? 0) - 2;
  const links = new Map<number, SocketPair>();
  for (const fd of [fds.nic, fds.uplink]) if (fd !== undefined) links.set(fd, await createSocketPair());
  const child = execa(file, args, {
    cwd,
    env,
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
    cleanup: true,
  });
  for (const { theirs } of links.values()) theirs.destroy();
  if (child.pid === undefined) {
    for (const { ours } of links.values()) ours.destroy();
    const { shortMessage } = await child;
    throw new HarnessError('missing-program', `${program} could not be started: ${shortMessage}`, {
      hint: 'run `netboot doctor`; it tells which packages are missing and how to install them',
    });
  }
  const pid = child.pid;
  watchOver(pid);

  let stderr = '';
  (child.stderr as Readable).on('data', (chunk: Buffer) => {
    if (stderr.length < keptStderrBytes) stderr += chunk.toString('utf8');
    onStderr(chunk);
  });

  let byHarness = false;
  let lastCpuMs = 0;
  const cpuMs = (): number => {
    lastCpuMs = readCpuMs(pid) ?? lastCpuMs;
    return lastCpuMs;
  };
  const sampler = setInterval(cpuMs, 500);
  sampler.unref();

  const endpoint = (fd: number): Duplex => {
    const stream = links.get(fd)?.ours ?? (child.stdio[fd] as unknown as Duplex);
    // A guest that ends resets its sockets; its end is told by `exited`.
    stream.on('error', () => {});
    return stream;
  };
  const streams = Object.fromEntries(
    Object.entries(fds)
      .filter(([, fd]) => fd !== undefined)
      .map(([name, fd]) => [name, endpoint(fd as number)]),
  ) as Record<keyof typeof fds, Duplex | undefined>;

  const exited = new Promise<GuestExit>((resolve) => {
    child.once('exit', (exitCode, signal) => {
      clearInterval(sampler);
      for (const stream of Object.values(streams)) stream?.destroy();
      resolve({ exitCode, signal, byHarness, stderr });
    });
  });

  const stop = (): Promise<GuestExit> => {
    if (child.exitCode === null && child.signalCode === null && !byHarness) {
      cpuMs();
      byHarness = true;
      // Nothing of the guest is kept (`snapshot=on`, throw-away variables), so there is nothing to end gently.
      child.kill('SIGKILL');
    }
    return exited;
  };

  return {
    pid,
    nic: streams.nic as Duplex,
    serial: streams.serial as Duplex,
    uplink: streams.uplink,
    qmp: startQmp(streams.qmp as Duplex, emit),
    exited,
    cpuMs,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
