import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { execa } from 'execa';
import type { IpVersion } from '../../model/axes.ts';
import { HarnessError } from '../../model/errors.ts';
import type { EventSink } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import { copyPatched } from '../../os/copy-patched.ts';
import { opening } from '../../os/disposal-stack.ts';
import { libraryFolders } from '../../os/library-folders.ts';
import { openTemporaryFolder } from '../../os/temporary-folder.ts';
import { tieToParent, watchOver } from '../../os/tied-process.ts';
import { loopback, type RunningServer } from '../loopback-server.ts';

type San = NonNullable<Plan['san']>;

/** iPXE assumes 255 heads of 63 sectors for a BIOS disk; to it a disk below one such cylinder has no sectors. */
const leastDiskBytes = 16 << 20;
const startTries = 3;
const readyWithinMs = 10_000;
const pollMs = 50;

/** A port that was free a moment ago: tgtd does not report which one it took. */
async function freePort(host: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, host, resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

/** What one target has to itself. */
interface Target {
  san: San;
  ipVersion: IpVersion;
  folder: string;
  env: Record<string, string>;
}

interface Daemon {
  port: number;
  stop(): Promise<unknown>;
}

const programOf = ({ programRoot }: San, name: string): string => join(programRoot, 'usr/sbin', name);
const diskOf = ({ folder }: Target): string => join(folder, 'disk.img');

async function makeTarget(san: San, ipVersion: IpVersion, folder: string): Promise<Target> {
  if (!existsSync(programOf(san, 'tgtd'))) {
    throw new HarnessError('missing-program', `the iSCSI target ${programOf(san, 'tgtd')} does not exist`, {
      hint: '`netboot doctor` says what the cache lacks and how to build it.',
    });
  }
  const env = {
    LD_LIBRARY_PATH: (await libraryFolders(san.programRoot)).join(':'),
    TGT_IPC_SOCKET: join(folder, 'socket'),
  };
  return { san, ipVersion, folder, env };
}

const administer = ({ san, env }: Target, ...args: string[]) =>
  execa(programOf(san, 'tgtadm'), ['--lld', 'iscsi', ...args], { env, reject: false, timeout: readyWithinMs });

/** Starts tgtd on a port of its choice; resolves to the reason if it does not come up. */
async function startDaemon(target: Target): Promise<Daemon | string> {
  const { san, ipVersion, env } = target;
  const host = loopback[ipVersion];
  const port = await freePort(host);
  const portal = `portal=${ipVersion === 6 ? `[${host}]` : host}:${port}`;
  const { file, args } = tieToParent(programOf(san, 'tgtd'), ['-f', '--iscsi', portal]);
  const daemon = execa(file, args, { env, reject: false, stdin: 'ignore', all: true, detached: true });
  if (daemon.pid !== undefined) watchOver(daemon.pid);
  const stop = (): Promise<unknown> => {
    daemon.kill('SIGKILL');
    return daemon;
  };
  const gone = daemon.then(({ all, shortMessage }) => all || shortMessage || 'it exited at once');
  const startedMs = performance.now();
  while (performance.now() - startedMs < readyWithinMs) {
    const portals = await administer(target, '--mode', 'portal', '--op', 'show');
    if (portals.stdout?.includes(`:${port}`)) return { port, stop };
    const ended = await Promise.race([gone, wait(pollMs)]);
    if (typeof ended === 'string') return ended;
  }
  await stop();
  return 'it did not come up';
}

/** Another program may take the port first: then it is started again on another. */
async function tryToStart(target: Target): Promise<Daemon> {
  let reason = '';
  for (let tries = 0; tries < startTries; tries++) {
    const started = await startDaemon(target);
    if (typeof started !== 'string') return started;
    reason = started;
  }
  throw new HarnessError(
    'server-failed',
    `the iSCSI target ${programOf(target.san, 'tgtd')} did not start: ${reason}`,
    {
      hint: '`netboot doctor` says what the cache lacks and how to build it.',
    },
  );
}

/** Gives the disk to any initiator, as LUN 1. */
async function exportDisk(target: Target): Promise<void> {
  const steps = [
    ['--mode', 'target', '--op', 'new', '--tid', '1', '--targetname', target.san.iqn],
    ['--mode', 'logicalunit', '--op', 'new', '--tid', '1', '--lun', '1', '--backing-store', diskOf(target)],
    ['--mode', 'target', '--op', 'bind', '--tid', '1', '--initiator-address', 'ALL'],
  ];
  for (const step of steps) {
    const { failed, stderr } = await administer(target, ...step);
    if (failed) throw new HarnessError('server-failed', `tgtadm ${step.join(' ')} failed: ${stderr}`);
  }
}

/**
 * An iSCSI target (tgt) with the plan's disk as its only LUN, on loopback, with its own control socket: needs no root,
 * and many can run at once. It ends with the case, or with the harness.
 * @throws HarnessError `missing-program` if there is no tgtd, `server-failed` if it does not start.
 */
export async function startIscsiTarget(san: San, emit: EventSink, ipVersion: IpVersion = 4): Promise<RunningServer> {
  const session = (note: string): void => emit({ source: 'iscsi', type: 'session', target: san.iqn, note });
  return opening(async (opened) => {
    const { path: folder } = opened.use(await openTemporaryFolder('netboot-iscsi-'));
    const target = await makeTarget(san, ipVersion, folder);
    await copyPatched({ path: san.disk, patch: san.patch, leastBytes: leastDiskBytes }, diskOf(target));
    const { port, stop } = await tryToStart(target);
    opened.defer(stop);
    await exportDisk(target);
    session('the target is ready');
    return {
      port,
      async close() {
        const { stdout = '' } = await administer(target, '--mode', 'conn', '--op', 'show', '--tid', '1');
        session(stdout.includes('Connection') ? 'an initiator is logged in' : 'no initiator is logged in');
        await opened[Symbol.asyncDispose]();
      },
    };
  });
}
