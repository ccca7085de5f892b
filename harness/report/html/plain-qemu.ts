import { withoutHarness } from '../../model/own-wiring.ts';
import type { Plan } from '../../model/plan.ts';
import { shellWord } from '../../model/shell-word.ts';

/**
 * The command line of the same machine for a person to run: QEMU's own user-mode network in place of the harness's, the
 * serial console and QEMU's monitor in the terminal. It has no boot server. Null for a plan of another version, and where the
 * machine writes to files that go with its case.
 */
export function plainQemu({ qemu: { program, argv, cpu }, machineFiles }: Plan): string | null {
  if (machineFiles !== undefined) return null;
  const words = withoutHarness(argv, { console: ['-serial', 'mon:stdio'], network: ['-netdev', 'user,id=net0'] });
  if (words === undefined) return null;
  const model = cpu.tcg === undefined ? [] : ['-cpu', cpu.tcg];
  return [program, '-accel', 'tcg', ...model, ...words].map(shellWord).join(' ');
}
