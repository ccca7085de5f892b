// Memory of the guests that this process runs. Linux only.
import { readdirSync, readFileSync } from 'node:fs';

const sampleMs = 200;
const kibibyte = 1024;

/** Text of a file of a process; empty once that is gone. */
function readOf(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** Our children that are QEMU, by process id; see proc_pid_stat(5). */
function guestPids() {
  const isOurs = (pid) => {
    const [, name, parent] = /\((.*)\) \S (\d+)/.exec(readOf(pid, 'stat')) ?? [];
    return name?.startsWith('qemu-system') && Number(parent) === process.pid;
  };
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOurs(name));
}

/** Proportional set size in bytes: a page that several processes map counts once, divided among them. */
const pssOf = (pid) => Number(/^Pss:\s+(\d+) kB$/m.exec(readOf(pid, 'smaps_rollup'))?.[1] ?? 0) * kibibyte;

/** Samples until `stop`, which returns the most that `guests` at once used together, in bytes; 0 if there never were as many. */
export function watchGuestMemory(guests) {
  let peak = 0;
  const sample = () => {
    const each = guestPids().map(pssOf);
    if (each.filter((bytes) => bytes > 0).length !== guests) return;
    peak = Math.max(
      peak,
      each.reduce((sum, bytes) => sum + bytes, 0),
    );
  };
  const timer = setInterval(sample, sampleMs);
  return {
    stop() {
      clearInterval(timer);
      return peak;
    },
  };
}
