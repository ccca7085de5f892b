import type { Accel } from '../model/axes.ts';
import type { Plan } from '../model/plan.ts';
import { type QemuFacts, sandboxArgs } from './host.ts';

/** The plan's argv, preceded by what depends on host and accelerator. */
export function runningArgv(plan: Plan, qemu: Pick<QemuFacts, 'sandbox'>, accel: Accel): string[] {
  const cpu = plan.qemu.cpu[accel];
  return [
    ...(qemu.sandbox ? sandboxArgs : []),
    '-accel',
    accel,
    ...(cpu === undefined ? [] : ['-cpu', cpu]),
    ...plan.qemu.argv,
  ];
}
