import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { HarnessError } from '../../model/errors.ts';
import { interfaceName, type PlannedProvisioner } from '../../model/provisioner.ts';
import { shellWord } from '../../model/shell-word.ts';
import { tieToParent } from '../../os/tied-process.ts';
import { type Isolation, systemPath, unshareArgs } from './isolation.ts';

/** A network and process namespace: everything in it ends with its first process, which ends with the harness. */
export interface Namespace extends AsyncDisposable {
  /** Its first process, as the host numbers it. */
  readonly pid: number;
  /** A command line that runs this one inside. */
  enter(program: string, argv: readonly string[]): { file: string; args: string[] };
}

/** The other end of the server's interface, for a packet socket. */
export const wireInterface = 'wire0';
const endsWithinMs = 5_000;

/** The server's interface. Its addresses are usable at once: nobody else is there to have the same. */
function setUpScript(
  { mac, addresses, packetPrograms }: PlannedProvisioner,
  { attach }: Pick<Isolation, 'attach'>,
): string {
  const settings = `/proc/sys/net/ipv6/conf`;
  const hasIp6 = addresses.some((address) => address.includes(':'));
  const ethtool = shellWord(packetPrograms?.ethtool.program ?? 'ethtool');
  const libraries = packetPrograms?.ethtool.env.LD_LIBRARY_PATH;
  const made =
    attach === 'tap'
      ? [`ip tuntap add dev ${interfaceName} mode tap`]
      : [
          `ip link add ${interfaceName} type veth peer name ${wireInterface}`,
          // Otherwise a packet socket sees frames whose checksums nobody has computed.
          `${libraries === undefined ? '' : `LD_LIBRARY_PATH=${shellWord(libraries)} `}${ethtool} -K ${interfaceName} tx off >/dev/null`,
          `echo 1 >${settings}/${wireInterface}/disable_ipv6 || :`,
          `ip link set ${wireInterface} up`,
        ];
  return [
    'set -e',
    'ip link set lo up',
    ...made,
    hasIp6
      ? `echo 0 >${settings}/${interfaceName}/accept_dad || :`
      : `echo 1 >${settings}/${interfaceName}/disable_ipv6 || :`,
    `ip link set ${interfaceName} address ${mac}`,
    ...addresses.map(
      (address) => `ip addr add ${address} dev ${interfaceName}${address.includes(':') ? ' nodad' : ''}`,
    ),
    `ip link set ${interfaceName} up`,
    // The host's number of this shell: /proc is still the host's.
    'read pid rest </proc/self/stat',
    'echo "$pid"',
    // Until the harness closes the pipe, or ends and the kernel does.
    'read line || :',
  ].join('\n');
}

/** Signals everything that a command line of `enter` started: nsenter passes nothing on. False if it is gone. */
export function signalGroup(pid: number | undefined, signal: NodeJS.Signals): boolean {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
    return pid !== undefined;
  } catch {
    return false;
  }
}

/** The first line of a stream; undefined if it ends without one. */
async function firstLine(stream: Readable): Promise<string | undefined> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  return undefined;
}

/**
 * Makes the namespace and its interface.
 * @throws HarnessError `provisioner-failed`
 */
export async function openNamespace(planned: PlannedProvisioner, isolation: Isolation): Promise<Namespace> {
  const script = setUpScript(planned, isolation);
  const { file, args } = tieToParent('unshare', [...unshareArgs(isolation.user), 'sh', '-c', script]);
  const holder = execa(file, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    buffer: { stdout: false, stderr: true },
    maxBuffer: 64 << 10,
    reject: false,
    detached: true,
    env: { PATH: systemPath() },
  });
  const pid = Number(await firstLine(holder.stdout));
  if (!(pid > 0)) {
    const { stderr, shortMessage } = await holder;
    throw new HarnessError('provisioner-failed', `no network for the provisioner: ${stderr || shortMessage}`, {
      hint: '`netboot doctor` says how a server of your own is isolated on this host',
    });
  }
  const entered = [
    '--target',
    String(pid),
    '--net',
    '--pid',
    ...(isolation.user ? ['--user', '--preserve-credentials'] : []),
  ];
  return {
    pid,
    enter: (program, argv) => tieToParent('nsenter', [...entered, '--', program, ...argv]),
    async [Symbol.asyncDispose]() {
      holder.stdin.end();
      const timer = setTimeout(() => holder.kill('SIGKILL'), endsWithinMs);
      await holder;
      clearTimeout(timer);
    },
  };
}
