import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Nice values by which a process that gives way comes after us; 5 is a third of our share, where both want all they get. */
const behind = 5;
const nicest = 19;

/** Off root the kernel changes one group of the host every tenth of a second (kernel/sched/autogroup.c), and refuses others. */
const againMs = 110;
/** More than guests are started at once. */
const mostTries = 50;

const behindUs = (nice: number): number => Math.min(nicest, nice + behind);

const autogroupOf = (pid: number | 'self'): string => `/proc/${pid}/autogroup`;

/**
 * The nice value by which the kernel weighs us against other sessions: sessions are scheduled as groups, with nice values
 * of their own (sched(7), "The autogroup feature"). What no session since boot has adopted (a service, a container's first
 * process) has none, and competes with those groups by its own.
 */
function niceAmongSessions(): number {
  const [, ofGroup] = /nice (-?\d+)$/.exec(readFileSync(autogroupOf('self'), 'latin1').trim()) ?? [];
  return ofGroup === undefined ? getPriority() : Number(ofGroup);
}

/** Returns the code of its failure. */
function attempt(give: () => void): string | undefined {
  try {
    give();
  } catch (error) {
    // The process has gone, or the kernel has no autogroups, or may change this one in a while (EAGAIN).
    return (error as NodeJS.ErrnoException).code;
  }
  return undefined;
}

function letGroupGiveWay(pid: number, write: typeof writeFileSync, tries: number): void {
  const failure = attempt(() => write(autogroupOf(pid), String(behindUs(niceAmongSessions()))));
  if (failure !== 'EAGAIN' || tries === 1) return;
  setTimeout(() => letGroupGiveWay(pid, write, tries - 1), againMs).unref();
}

/**
 * Lets a process that was just started, in a session of its own, have the CPU only after us where both want it: guests
 * compute all the time, and what serves them needs little, but at once. Several that start at once do so one after another.
 * It costs a fifth of the speed of a long HTTP transfer: we wake for each few frames that QEMU has sent, not for a dozen.
 */
export function letGiveWay(pid: number, write = writeFileSync): void {
  attempt(() => setPriority(pid, behindUs(getPriority())));
  letGroupGiveWay(pid, write, mostTries);
}
