import type { Socket } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { HarnessError } from '../../model/errors.ts';
import { interfaceName, type PlannedProvisioner } from '../../model/provisioner.ts';
import { opening } from '../../os/disposal-stack.ts';
import { openTemporaryFolder } from '../../os/temporary-folder.ts';
import type { Isolation } from './isolation.ts';
import { type Namespace, signalGroup, wireInterface } from './namespace.ts';

/** The QEMU between the server's interface and the wire, and with a packet socket socat too. */
export interface RunningAdapter extends AsyncDisposable {
  /** Resolves with the reason if it ends by itself. */
  readonly failed: Promise<string>;
}

export interface AdapterStart {
  planned: PlannedProvisioner;
  isolation: Isolation;
  namespace: Namespace;
  /** Arguments that QEMU gets on this host before the plan's. */
  hostArgs: readonly string[];
  /** The wire's end for QEMU; it is closed here once QEMU has it. */
  wire: Socket;
}

const startsWithinMs = 10_000;

/** The server's end, as the first netdev: hub ports refer to it. */
const netdevOf = ({ attach }: Isolation, folder: string): string =>
  attach === 'tap'
    ? `tap,id=server,ifname=${interfaceName},script=no,downscript=no`
    : `dgram,id=server,local.type=unix,local.path=${join(folder, 'qemu')},remote.type=unix,remote.path=${join(folder, 'socat')}`;

function startSocat({ planned, namespace }: AdapterStart, folder: string) {
  const { program, env } = planned.packetPrograms?.socat ?? { program: 'socat', env: {} };
  const ends = [`INTERFACE:${wireInterface}`, `UNIX-SENDTO:${join(folder, 'qemu')},bind=${join(folder, 'socat')}`];
  const { file, args } = namespace.enter(program, ends);
  return execa(file, args, {
    env,
    stdin: 'ignore',
    stdout: 'ignore',
    reject: false,
    detached: true,
    maxBuffer: 64 << 10,
  });
}

/**
 * Joins the server's interface to the wire, and resolves once frames pass.
 * @throws HarnessError `provisioner-failed`
 */
export function startAdapter(start: AdapterStart): Promise<RunningAdapter> {
  const { planned, isolation, namespace, hostArgs, wire } = start;
  return opening(async (opened) => {
    const { path: folder } = opened.use(await openTemporaryFolder('netboot-adapter-'));
    const { program, argv, env } = planned.adapter;
    const { file, args } = namespace.enter(program, [...hostArgs, '-netdev', netdevOf(isolation, folder), ...argv]);
    const qemu = execa(file, args, {
      env,
      // With `-qmp stdio`: it greets once its network is up, and ends at the end of its input.
      stdio: ['pipe', 'pipe', 'pipe', wire],
      buffer: { stdout: false, stderr: true },
      maxBuffer: 64 << 10,
      reject: false,
      detached: true,
    });
    wire.destroy();
    opened.defer(async () => {
      signalGroup(qemu.pid, 'SIGKILL');
      await qemu;
    });
    const ended = qemu.then(({ stderr, shortMessage }) => `the adapter ended: ${stderr || shortMessage}`);
    const greeted = new Promise<undefined>((resolve) => {
      qemu.stdout.on('data', () => resolve(undefined));
    });
    const late = new Promise<string>((resolve) => {
      setTimeout(() => resolve(`the adapter did not start within ${startsWithinMs / 1000} s`), startsWithinMs).unref();
    });
    const trouble = await Promise.race([greeted, ended, late]);
    if (trouble !== undefined) {
      throw new HarnessError('provisioner-failed', `the provisioner has no network: ${trouble}`, {
        hint: 'It takes QEMU 7.2 or later; `netboot doctor` says which way this host offers.',
      });
    }
    const socat = isolation.attach === 'packet-socket' ? startSocat(start, folder) : undefined;
    if (socat !== undefined) {
      opened.defer(async () => {
        signalGroup(socat.pid, 'SIGKILL');
        await socat;
      });
    }
    const ends = [ended, ...(socat ? [socat.then(({ stderr }) => `socat ended: ${stderr}`)] : [])];
    return { failed: Promise.race(ends), [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  });
}
