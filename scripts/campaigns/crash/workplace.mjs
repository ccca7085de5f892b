// Starts the command line in a folder of its own, ends it at a random moment, and looks at what it leaves.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { inCheckout } from '../../setup/checkout.mjs';

const mark = 'NETBOOT_CRASH_MARK';
const main = inCheckout('.build', 'harness', 'cli', 'main.js');
/** What ends with its parent needs a moment, and on a busy host a long one. */
const goneWithinMs = 20_000;

function procFile(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
}

/** The network namespace of a process, if it is another than ours. */
function ownNetworkOf(pid) {
  try {
    const [network, ours] = [pid, 'self'].map((one) => readlinkSync(`/proc/${one}/ns/net`));
    return network === ours ? undefined : network;
  } catch {
    // It has gone.
    return undefined;
  }
}

export function openWorkplace(folder, more = {}) {
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const id = randomUUID();
  const env = { ...process.env, TMPDIR: temporary, [mark]: id, ...more };

  /** Processes that any of ours started and that are there. */
  const started = () =>
    readdirSync('/proc').filter((name) => /^\d+$/.test(name) && procFile(name, 'environ').includes(`${mark}=${id}`));

  /** Their commands. Only processes keep a network namespace: none is mounted anywhere. */
  const survivors = () =>
    started().map((pid) => {
      const network = ownNetworkOf(pid);
      const where = network === undefined ? '' : `, in the network ${network}`;
      return `${procFile(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 80)}${where}`;
    });

  /** What is wrong once a process has ended: guests and temporary files that outlive it. */
  async function left() {
    for (const end = performance.now() + goneWithinMs; performance.now() < end; await pause(50)) {
      if (survivors().length === 0 && readdirSync(temporary).length === 0) return [];
    }
    const files = readdirSync(temporary);
    // Told once.
    for (const name of files) rmSync(join(temporary, name), { recursive: true, force: true });
    return [
      ...survivors().map((command) => `still there: ${command}`),
      ...files.map((name) => `a temporary file is left: ${name}`),
    ];
  }

  /**
   * Runs `program argv`; with `killAfterMs` it is killed then, if it has not ended. `hadNamespace`: it had a network
   * namespace as it was killed; `wasWriting`: what `isWriting` said then.
   */
  async function start(program, argv, { killAfterMs, isWriting = () => false, cwd = folder, env: added = {} } = {}) {
    const startedMs = performance.now();
    const child = spawn(program, argv, { cwd, env: { ...env, ...added }, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
      child[name].setEncoding('utf8').on('data', (text) => {
        said[name] += text;
      });
    }
    let hadNamespace = false;
    let wasWriting = false;
    const kill = () => {
      wasWriting = isWriting();
      hadNamespace = started().some((pid) => ownNetworkOf(pid) !== undefined);
      child.kill('SIGKILL');
    };
    const timer = killAfterMs === undefined ? undefined : setTimeout(kill, killAfterMs);
    const [exitCode, signal] = await new Promise((resolve) => child.once('close', (...how) => resolve(how)));
    clearTimeout(timer);
    const ms = performance.now() - startedMs;
    return { exitCode, killed: signal === 'SIGKILL', hadNamespace, wasWriting, ms, ...said };
  }

  return {
    folder,
    left,
    netboot: (argv, options) => start(process.execPath, [main, ...argv], options),
    /** By a shell, in which `"$@"` is the command line. */
    netbootBy: (script, argv, options) => start('sh', ['-c', script, 'sh', process.execPath, main, ...argv], options),
  };
}

/** A command must say what is wrong in words. */
export const traceIn = ({ stderr }) =>
  /\n\s+at .*(file:|node:)/.test(stderr) ? [`a stack trace: ${stderr.slice(-400)}`] : [];
