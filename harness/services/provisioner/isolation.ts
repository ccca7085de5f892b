import { accessSync, constants, readFileSync } from 'node:fs';
import { execa } from 'execa';

/** How a network namespace is made on this host, and how frames get out of it. */
export interface Isolation {
  /** With a user namespace around it, as somebody who is not root. */
  readonly user: boolean;
  /** A TAP, or where /dev/net/tun does not open a veth pair and a packet socket. */
  readonly attach: 'tap' | 'packet-socket';
}

export interface Impossible {
  /** What the host lacks or forbids. */
  readonly impossible: string;
  readonly hint: string;
}

const neededPrograms = ['unshare', 'nsenter', 'ip'] as const;

/** `ip` and `ethtool` are in folders that not every user has in PATH. */
export const systemPath = (path = process.env.PATH ?? ''): string => `${path}:/usr/local/sbin:/usr/sbin:/sbin`;

const runs = async (program: string, args: readonly string[]): Promise<string | undefined> => {
  const { failed, stderr, shortMessage } = await execa(program, args, {
    reject: false,
    stdin: 'ignore',
    timeout: 10_000,
    env: { PATH: systemPath() },
  });
  return failed ? stderr || (shortMessage ?? `${program} failed`) : undefined;
};

async function missingOf(programs: readonly string[]): Promise<string[]> {
  const found = await Promise.all(programs.map((program) => runs('sh', ['-c', `command -v ${program}`])));
  return programs.filter((_, at) => found[at] !== undefined);
}

export const unshareArgs = (user: boolean): string[] => [
  ...(user ? ['--user', '--map-root-user'] : []),
  ...['--net', '--pid', '--fork', '--kill-child=KILL'],
];

const setting = (name: string): string | undefined => {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
};

/** Switches by which distributions forbid user namespaces: the first that is set explains the refusal. */
const forbidden: readonly { name: string; value: string; hint: string }[] = [
  {
    name: 'kernel/apparmor_restrict_unprivileged_userns',
    value: '1',
    hint: 'Allow them with `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or run as root.',
  },
  {
    name: 'kernel/unprivileged_userns_clone',
    value: '0',
    hint: 'Allow them with `sysctl kernel.unprivileged_userns_clone=1`, or run as root.',
  },
  {
    name: 'user/max_user_namespaces',
    value: '0',
    hint: 'Allow them with `sysctl user.max_user_namespaces=10000`, or run as root.',
  },
];

function refusalOf(user: boolean, complaint: string): Impossible {
  const switched = user ? forbidden.find(({ name, value }) => setting(name) === value) : undefined;
  if (switched !== undefined) {
    const { name, value, hint } = switched;
    return { impossible: `this host forbids user namespaces (${name.replaceAll('/', '.')} is ${value})`, hint };
  }
  return {
    impossible: `this host lets nobody make a network namespace: ${complaint.trim()}`,
    hint: 'In a container, allow it with --cap-add SYS_ADMIN --cap-add NET_ADMIN (Docker, Podman).',
  };
}

function opensTun(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Root may lack the capability, and still be let into a user namespace. */
async function findNamespace(): Promise<{ user: boolean } | Impossible> {
  const asRoot = process.getuid?.() === 0;
  const complaint = asRoot ? await runs('unshare', [...unshareArgs(false), 'true']) : '';
  if (complaint === undefined) return { user: false };
  const withUser = await runs('unshare', [...unshareArgs(true), 'true']);
  return withUser === undefined ? { user: true } : refusalOf(!asRoot, withUser);
}

/** The way this host offers to run a server on a network of its own; starts only `true`. */
export async function findIsolation(hasPacketPrograms: boolean): Promise<Isolation | Impossible> {
  if (process.platform !== 'linux') {
    return { impossible: 'a provisioner needs Linux, for its network namespace', hint: 'Run it in a Linux machine.' };
  }
  const missing = await missingOf(neededPrograms);
  if (missing.length > 0) {
    return {
      impossible: `there is no ${missing.join(', ')}`,
      hint: 'Install util-linux and iproute2 (Debian: sudo apt install util-linux iproute2).',
    };
  }
  const namespace = await findNamespace();
  if ('impossible' in namespace) return namespace;
  if (opensTun()) return { ...namespace, attach: 'tap' };
  if (hasPacketPrograms) return { ...namespace, attach: 'packet-socket' };
  return {
    impossible: 'this user cannot open /dev/net/tun, and to do without it takes socat and ethtool',
    hint: 'Install them (Debian: sudo apt install socat ethtool), or make /dev/net/tun accessible (mode 0666).',
  };
}

export const isolationText = ({ user, attach }: Isolation): string =>
  `${user ? 'user and network namespace' : 'network namespace'}, ${attach === 'tap' ? 'TAP' : 'veth pair and packet socket'}`;
