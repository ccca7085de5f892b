import { readFileSync } from 'node:fs';

// USER_HZ is 100 on every Linux architecture Node runs on.
const msPerTick = 10;

/** CPU time a process has used, user and system, in ms; null if unknown (not Linux, or the process is gone). */
export function readCpuMs(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command name may hold spaces and parentheses: fields count from the last ')'.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * msPerTick;
  } catch {
    return null;
  }
}
