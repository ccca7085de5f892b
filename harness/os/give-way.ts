import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** Nice values by which a process that gives way comes after us; 5 is a third of our share, where both want all they get. */
const behind = 5;
const nicest = 19;

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

function attempt(give: () => void): void {
  try {
    give();
  } catch {
    // The process has gone; or the kernel has no autogroups, or has changed one just now (EAGAIN).
  }
}

/**
 * Lets a process that was just started, in a session of its own, have the CPU only after us where both want it: guests
 * compute all the time, and what serves them needs little, but at once.
 */
export function letGiveWay(pid: number): void {
  attempt(() => setPriority(pid, behindUs(getPriority())));
  attempt(() => writeFileSync(autogroupOf(pid), String(behindUs(niceAmongSessions()))));
}
