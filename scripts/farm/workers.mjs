// Workers on this machine, each held to its share of the cores.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const main = fileURLToPath(new URL('../../.build/harness/cli/main.js', import.meta.url));

/** The cores that this process may run on (proc(5)). */
export function allowedCores() {
  const list = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, nth) => first + nth);
  });
}

/** The cores of worker `nth` of `count`: an equal share, or one that several have. */
export function shareOf(cores, nth, count) {
  if (count >= cores.length) return [cores[nth % cores.length]];
  const each = cores.length / count;
  return cores.slice(Math.floor(nth * each), Math.floor((nth + 1) * each));
}

/** Runs `netboot` on these cores only; so do all that it starts. */
export const spawnNetboot = (cores, args, options) =>
  spawn('taskset', ['--cpu-list', cores.join(','), process.execPath, main, ...args], options);
