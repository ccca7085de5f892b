import { readFileSync } from 'node:fs';

/**
 * Share of time in which something that could run had to wait for a CPU, 0 to 1, over the last ten seconds
 * (Linux' pressure stall information); 0 where the kernel does not tell.
 */
export function cpuPressure(): number {
  try {
    const match = /^some avg10=([\d.]+)/m.exec(readFileSync('/proc/pressure/cpu', 'latin1'));
    return match ? Number(match[1]) / 100 : 0;
  } catch {
    return 0;
  }
}
