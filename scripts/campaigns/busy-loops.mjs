// Load for a campaign: processes that only burn CPU.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A loop that ends with its parent, even if that is killed. */
const loop = 'const parent = process.ppid; while (process.ppid === parent) for (let i = 0; i < 1e7; i++);';

/** Runs `count` busy loops while `work` runs; resolves to its result once they have ended. */
export async function withBusyLoops(count, work) {
  const loops = Array.from({ length: count }, () => spawn(process.execPath, ['-e', loop], { stdio: 'ignore' }));
  try {
    return await work();
  } finally {
    const ended = loops.map((child) => once(child, 'exit'));
    for (const child of loops) child.kill('SIGKILL');
    await Promise.all(ended);
  }
}
