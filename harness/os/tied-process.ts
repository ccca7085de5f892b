import { existsSync } from 'node:fs';
import { execa } from 'execa';

const setprivPaths = ['/usr/bin/setpriv', '/bin/setpriv'];

/** The kernel tells of no death before the request: whoever has another parent by then ends by itself. */
const unlessOrphaned = '[ "$PPID" = "$0" ] && exec "$@"';

/**
 * QEMU survives its parent, even with its descriptors closed. On Linux util-linux' setpriv has the kernel kill it when
 * we die (PR_SET_PDEATHSIG); elsewhere a small watcher does.
 */
export function tieToParent(program: string, argv: readonly string[]): { file: string; args: string[] } {
  const setpriv = process.platform === 'linux' ? setprivPaths.find((path) => existsSync(path)) : undefined;
  if (!setpriv) return { file: program, args: [...argv] };
  const ours = ['sh', '-c', unlessOrphaned, String(process.pid)];
  return { file: setpriv, args: ['--pdeathsig', 'KILL', '--', ...ours, program, ...argv] };
}

const watcher =
  'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done; kill -9 "$2" 2>/dev/null';

/** Where the kernel cannot: a detached watcher that kills `pid` within a second of our own exit. */
export function watchOver(pid: number): void {
  if (process.platform === 'linux' && setprivPaths.some((path) => existsSync(path))) return;
  execa('sh', ['-c', watcher, 'netboot-watcher', String(process.pid), String(pid)], {
    detached: true,
    stdio: 'ignore',
    reject: false,
    cleanup: false,
  }).unref();
}
