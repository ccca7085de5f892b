import type { Plan } from '../../model/plan.ts';
import { shellWord } from '../../model/shell-word.ts';

/** Options that tie QEMU to the harness, and what takes their place: null is nothing. */
const replacements: [option: string, value: RegExp, instead: string[] | null][] = [
  ['-chardev', /^socket,id=(qmp|serial),/, null],
  ['-mon', /^chardev=qmp,/, null],
  ['-serial', /^chardev:serial$/, ['-serial', 'mon:stdio']],
  ['-netdev', /^stream,id=net0,/, ['-netdev', 'user,id=net0']],
  ['-netdev', /^(user,id=up,|stream,id=uplink,|hubport,id=hub-)/, null],
];

/**
 * The command line of the same machine for a person to run: QEMU's own user-mode network in place of the harness's, the
 * serial console and QEMU's monitor in the terminal. It has no boot server.
 */
export function plainQemu({ qemu: { program, argv, cpu } }: Plan): string {
  const words: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const option = argv[index] as string;
    const value = argv[index + 1] ?? '';
    if (option === '-no-shutdown') continue;
    const found = replacements.find(([name, pattern]) => name === option && pattern.test(value));
    words.push(...(found ? (found[2] ?? []) : [option]));
    if (found) index += 1;
  }
  const model = cpu.tcg === undefined ? [] : ['-cpu', cpu.tcg];
  return [program, '-accel', 'tcg', ...model, ...words].map(shellWord).join(' ');
}
